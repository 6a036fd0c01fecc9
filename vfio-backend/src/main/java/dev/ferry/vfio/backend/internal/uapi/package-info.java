// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers and layouts of the Linux user API, and nothing else: no call, no logic. Names are those of the headers {@code
 * linux/vfio.h} and {@code linux/iommufd.h}; all offsets and sizes are in bytes, all fields in host byte order.
 */
package dev.ferry.vfio.backend.internal.uapi;
