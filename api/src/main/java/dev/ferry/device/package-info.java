// SPDX-License-Identifier: Apache-2.0
/**
 * The SPI of a device vendor: one {@link dev.ferry.device.MigrationDriver} service per device that can be migrated, and
 * the data transfer sessions it opens.
 *
 * <p>Two readers: the vendor implements (import {@code [1.0,2)}), {@code fsm-core} calls. Nothing here knows OSGi; a
 * driver is registered with the service properties that {@code MigrationDriver} names. {@link
 * dev.ferry.device.DeviceMemory} alone is called by whoever has a guest for the device.
 */
@Export
@Version("1.0.0")
package dev.ferry.device;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
