// SPDX-License-Identifier: Apache-2.0
/**
 * What the commands of all bundles share: options, results as text or JSON, errors as one sentence, exit status.
 *
 * <p>A bundle with commands carries its own copy of this package (and of picocli and gson) as private packages, so that
 * it can be deployed alone. The copies of two bundles meet only in types of the JDK: {@link dev.ferry.cli.CommandExit}
 * is a {@link java.util.function.IntSupplier}, which is how whoever runs commands learns the exit status.
 */
package dev.ferry.cli;
