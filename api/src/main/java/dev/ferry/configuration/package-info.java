// SPDX-License-Identifier: Apache-2.0
/**
 * What bundles answer to configurations, and how they find out what in them is mistyped.
 *
 * <p>Two readers: a bundle that is configured registers {@link dev.ferry.configuration.ConfigurationOutcome}, whoever
 * configures it looks at that.
 */
@Export
@Version("1.0.0")
package dev.ferry.configuration;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
