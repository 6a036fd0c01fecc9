// SPDX-License-Identifier: Apache-2.0
/** One open VFIO device as a migration driver: states, data transfer sessions, configuration space. */
package dev.ferry.vfio.backend.internal.device;
