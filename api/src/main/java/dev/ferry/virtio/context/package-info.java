// SPDX-License-Identifier: Apache-2.0
/**
 * The command set of the 2023 proposal "Introduce device migration support commands", as both sides of the admin queue
 * need it: opcodes, the device context and its fields, write records. It is an alternative to the device parts of virtio
 * 1.4 in {@link dev.ferry.virtio}; an owner device offers one of the two, never both.
 *
 * <p>What is public of the proposal are its aims, its names and a few structures. All numbers and layouts that are not
 * public are our own, and nobody should claim that they are those of the proposal's text. Status, qualifiers and length
 * tolerance are those of virtio 1.4. All multi-byte fields are little-endian, reserved fields are zero.
 *
 * @see <a href="https://lists.oasis-open.org/archives/virtio-comment/">virtio-comment, October 2023: "Introduce device
 *     migration support commands", version 1, cover letter</a>
 */
@Export
@Version("1.0.0")
package dev.ferry.virtio.context;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
