// SPDX-License-Identifier: Apache-2.0
/** Checks that a vendor's driver does what {@code dev.ferry.device} demands; needs no test framework. */
package dev.ferry.contract;
