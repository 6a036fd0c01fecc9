// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.exerciser;

import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;

/** One VF: the side of its guest and the side of its network. */
record MemberPort(PciFunction function, NetworkPort port) {}
