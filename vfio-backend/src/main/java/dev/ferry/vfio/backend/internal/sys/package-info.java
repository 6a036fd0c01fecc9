// SPDX-License-Identifier: Apache-2.0
/** The system calls, and the only native code of the bundle; tests put a kernel of their own in its place. */
package dev.ferry.vfio.backend.internal.sys;
