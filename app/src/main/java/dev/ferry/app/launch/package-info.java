// SPDX-License-Identifier: Apache-2.0
/**
 * What starts before there is a framework: lies on the class path of the runnable jar beside Felix, in no bundle.
 *
 * <p>Meets the application's bundle only in types of the JDK: it finds the runner of commands as a service of type
 * {@link java.util.function.ToIntFunction} and gives it the arguments.
 */
package dev.ferry.app.launch;
