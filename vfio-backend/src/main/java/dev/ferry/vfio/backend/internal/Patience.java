// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

/**
 * How long threads wait for each other; {@link DeviceServices} says why so long.
 *
 * @param waitMillis for the turn, and then for devices to be closed
 * @param returnMillis for a device that its lender wants back
 * @param stopWaitMillis for migrations, when all ends
 */
record Patience(long waitMillis, long returnMillis, long stopWaitMillis) {}
