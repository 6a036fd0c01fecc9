// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.nio.channels.Channel;

/**
 * What carries the data of one device, in one direction, between the arc that opens it and the arc that ends it.
 *
 * <p>A stream of bytes in which segmentation means nothing: any split of the bytes must work. The session dies with the
 * state that it belongs to: after the arc that {@linkplain dev.ferry.fsm.Arc.SessionEffect#ENDS ends} it, or a reset,
 * reads and writes fail with {@link Errno#ENODEV}. {@link #close} gives back what the caller holds and changes nothing
 * at the device. Not thread-safe: one caller at a time.
 */
public sealed interface DataTransferSession extends Channel permits SavingSession, ResumingSession {}
