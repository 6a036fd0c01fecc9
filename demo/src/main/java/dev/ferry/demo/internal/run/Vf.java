// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;

/**
 * One emulated VF, from all sides.
 *
 * @param id as the migration service knows it
 * @param host that it is in
 * @param function what the guest drives
 * @param port the network side
 */
public record Vf(String id, String host, PciFunction function, NetworkPort port) {}
