// SPDX-License-Identifier: Apache-2.0
/**
 * Checks that a vendor's driver does what {@code dev.ferry.device} demands.
 *
 * <p>Needs no test framework: {@link dev.ferry.contract.DriverContract#checks} are named pieces of code that throw
 * {@link AssertionError}, for JUnit's dynamic tests as well as for a {@code main}.
 */
package dev.ferry.contract;
