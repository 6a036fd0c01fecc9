// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

/**
 * Where one VF's guest begins and where it ends.
 *
 * @param source where it begins
 * @param destination where it ends
 */
public record VfPair(Vf source, Vf destination) {}
