// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

/**
 * A memory write that interrupts.
 *
 * @param vector number of the table entry
 * @param address as the driver programmed it
 * @param data as the driver programmed it
 */
public record MsixMessage(int vector, long address, int data) {}
