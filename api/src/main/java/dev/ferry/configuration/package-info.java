// SPDX-License-Identifier: Apache-2.0
/**
 * What bundles answer to configurations, and how they find out what in them is wrong or mistyped.
 *
 * <p>Two readers: a bundle that is configured reads with {@link dev.ferry.configuration.ConfigurationKeys} and {@link
 * dev.ferry.configuration.ConfiguredValue}; one that makes devices registers {@link
 * dev.ferry.configuration.ConfigurationOutcome}, too, and whoever configures it looks at that.
 */
@Export
@Version("1.0.0")
package dev.ferry.configuration;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
