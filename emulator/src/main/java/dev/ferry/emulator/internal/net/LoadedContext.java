// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.util.BitSet;

/**
 * What a device context makes of a device.
 *
 * @param config what the driver sees of the device: the features and queue pairs of where the context comes from
 * @param state of the device
 * @param kicks queues that were notified and not worked on
 * @param announcing whether the driver is being asked to announce itself
 */
record LoadedContext(FunctionConfig config, VirtioState state, BitSet kicks, boolean announcing) {}
