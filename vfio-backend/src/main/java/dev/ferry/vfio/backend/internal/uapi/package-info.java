// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers, layouts and the names of errors of the Linux user API, and nothing else: no call. Names are those of the
 * headers {@code linux/vfio.h}, {@code linux/iommufd.h}, {@code linux/pci_regs.h} and of the C library's; structures
 * lack their prefixes, and so do the features of {@code VFIO_DEVICE_FEATURE}. All offsets and sizes are in bytes, all
 * fields in host byte order.
 */
package dev.ferry.vfio.backend.internal.uapi;
