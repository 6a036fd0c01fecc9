// SPDX-License-Identifier: Apache-2.0
/**
 * The words of the VFIO migration protocol, version 2: device states, migration features, arcs and the transition
 * table.
 *
 * <p>Names and numbers are those of the kernel header {@code include/uapi/linux/vfio.h}. Drivers read {@link
 * dev.ferry.fsm.Arc arcs}; consumers ask for {@link dev.ferry.fsm.DeviceState states} and leave the way there to the
 * {@link dev.ferry.fsm.TransitionTable table}. Both import {@code [1,2)}; whoever implements {@code TransitionTable}
 * imports {@code [1.0,1.1)}.
 */
@Export
@Version("1.0.0")
package dev.ferry.fsm;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
