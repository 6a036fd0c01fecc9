// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

/**
 * Where a structure of the device lies.
 *
 * @param bar 0 to 5
 * @param offset in the BAR, unsigned 32 bits
 */
record BarRegion(int bar, long offset) {}
