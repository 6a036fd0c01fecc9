// SPDX-License-Identifier: Apache-2.0
/** The ways to an open device: group and container, character device and iommufd; and the memory it may reach. */
package dev.ferry.vfio.backend.internal.access;
