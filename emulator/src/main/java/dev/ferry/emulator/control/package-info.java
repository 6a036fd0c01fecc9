// SPDX-License-Identifier: Apache-2.0
/**
 * The emulated adapters as whatever stands in front of them sees them: PCI functions by register, DMA, interrupts, and
 * the network behind.
 *
 * <p>For guest models, tests and demonstrations; a front end that offers a function to a virtual machine uses it as
 * well. Import {@code [1.0,2)}. Not for migration, which knows an emulated device only by its owner's {@link
 * dev.ferry.virtio.AdminQueue}.
 */
@Export
@Version("1.0.0")
package dev.ferry.emulator.control;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
