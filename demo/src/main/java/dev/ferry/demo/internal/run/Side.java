// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

/** An end of the migration. */
public enum Side {
    /** Where the guest begins. */
    SOURCE,
    /** Where it ends. */
    DESTINATION
}
