// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.UsageException;
import dev.ferry.fsm.MigrationFeature;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Migration features as users type them: {@code stop-copy}, {@code p2p}, {@code pre-copy}, or with underscores. */
final class FeatureNames {

    private FeatureNames() {}

    /** The named features, which must have a meaning together. */
    static Set<MigrationFeature> parse(Collection<String> names) throws UsageException {
        Set<MigrationFeature> features = EnumSet.noneOf(MigrationFeature.class);
        for (String name : names) {
            features.add(parse(name));
        }
        if (!features.contains(MigrationFeature.STOP_COPY)) {
            throw new UsageException("a set of features without stop-copy has no meaning, since no device can be "
                    + "migrated without it");
        }
        return Collections.unmodifiableSet(features);
    }

    /** The names of the kernel header, joined for people. */
    static String join(Set<MigrationFeature> features) {
        return features.stream().map(MigrationFeature::name).collect(Collectors.joining(","));
    }

    private static MigrationFeature parse(String name) throws UsageException {
        String constant = name.strip().toUpperCase(Locale.ROOT).replace('-', '_');
        for (MigrationFeature feature : MigrationFeature.values()) {
            if (feature.name().equals(constant)) {
                return feature;
            }
        }
        throw new UsageException(
                "there is no migration feature '" + name + "'; the features are stop-copy, p2p, pre-copy");
    }
}
