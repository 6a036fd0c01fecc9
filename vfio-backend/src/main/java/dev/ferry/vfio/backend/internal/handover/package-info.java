// SPDX-License-Identifier: Apache-2.0
/**
 * How a process that holds a device, a VMM for example, hands its open descriptor over: a UNIX socket and the protocol
 * on it, which the bundle's README describes for those who write the other side.
 */
package dev.ferry.vfio.backend.internal.handover;
