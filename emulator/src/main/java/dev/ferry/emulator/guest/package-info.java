// SPDX-License-Identifier: Apache-2.0
/**
 * A guest: one processor, some memory, and a virtio-net driver that forwards every frame it receives.
 *
 * <p>For tests and demonstrations; import {@code [1.0,2)}. It drives a device through {@link
 * dev.ferry.emulator.control.PciFunction} and {@link dev.ferry.emulator.control.DmaSpace} alone, and it keeps what its
 * driver knows in the memory of the guest, so that a copy of the memory beside another function is the same guest.
 */
@Export
@Version("1.0.0")
package dev.ferry.emulator.guest;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
