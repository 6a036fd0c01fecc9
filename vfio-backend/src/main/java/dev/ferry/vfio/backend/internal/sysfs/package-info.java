// SPDX-License-Identifier: Apache-2.0
/** What sysfs says about the VFIO devices of the host; nothing is opened for it. */
package dev.ferry.vfio.backend.internal.sysfs;
