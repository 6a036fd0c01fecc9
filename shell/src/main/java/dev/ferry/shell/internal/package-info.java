// SPDX-License-Identifier: Apache-2.0
/**
 * The commands over the services of the API.
 *
 * <p>A {@code ...Commands} class is the Declarative Services component that a shell calls and that holds the services;
 * a {@code ...Command} class is one command of it, made anew for each run and given what it needs, so that it is tested
 * without a framework.
 */
package dev.ferry.shell.internal;
