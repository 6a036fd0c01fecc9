// SPDX-License-Identifier: Apache-2.0
/** The bundle's component: which devices of the host are served, and as what services. */
package dev.ferry.vfio.backend.internal;
