// SPDX-License-Identifier: Apache-2.0
/**
 * Virtio 1.4 as both sides of the admin queue need it: numbers, names and byte layouts of group administration
 * commands, device parts, the PCI common configuration and the network device.
 *
 * <p>Two readers: who drives an owner device (calls {@link dev.ferry.virtio.AdminQueue}, import {@code [1.0,2)}) and
 * who offers one (implements it, import {@code [1.0,2)}). All multi-byte fields are little-endian.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">Virtual I/O Device (VIRTIO) Version
 *     1.4</a>
 */
@Export
@Version("1.0.0")
package dev.ferry.virtio;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
