// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.legacy;

/** The two structures of the legacy interface. */
public enum LegacyArea {
    /** The common configuration, without what follows it. */
    COMMON,
    /** The device configuration. */
    DEVICE
}
