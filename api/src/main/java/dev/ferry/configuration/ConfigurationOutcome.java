// SPDX-License-Identifier: Apache-2.0
package dev.ferry.configuration;

import java.util.Optional;

/**
 * What became of a configuration that makes devices. Whoever gave it finds the answer here, instead of waiting for what
 * will never come.
 *
 * <p>A bundle that makes devices of its configurations registers one service of this type per configuration that it was
 * given, when the configuration is in force or was refused, replaces it when the configuration changes, and unregisters
 * it when the configuration or the bundle goes. Services of devices that the configuration asks for may come later than
 * that. A refusal is logged as an error, too, under the name of this type; who looks at these services can switch that
 * logger off. Immutable.
 *
 * <p>Each answer is another service, with a {@code service.id} of its own, also where it says the same again.
 * ConfigAdmin hands a change over some time after it took it, and the former answer stays until then: whoever corrects
 * a configuration waits for another service than the one it has seen.
 *
 * @param pid of the configuration, as ConfigAdmin has it in {@code service.pid}
 * @param refusal why it is not in force, one clause that names the key, what it was and what is allowed; empty for one
 *     that is
 */
public record ConfigurationOutcome(String pid, Optional<String> refusal) {}
