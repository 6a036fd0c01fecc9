// SPDX-License-Identifier: Apache-2.0
/** The three ways in which Linux tells which pages a device wrote, as dirty trackers, and the choice among them. */
package dev.ferry.vfio.backend.internal.dirty;
