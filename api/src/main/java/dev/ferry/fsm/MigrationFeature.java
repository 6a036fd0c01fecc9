// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * What a device can do in a migration, as bits of {@code struct vfio_device_feature_migration.flags}.
 *
 * <p>A set without {@link #STOP_COPY} has no meaning: such a device cannot be migrated. Immutable.
 *
 * @see <a href="https://docs.kernel.org/driver-api/vfio.html">Linux: include/uapi/linux/vfio.h,
 *     VFIO_DEVICE_FEATURE_MIGRATION</a>
 */
public enum MigrationFeature {
    /** {@code VFIO_MIGRATION_STOP_COPY}: adds STOP, STOP_COPY and RESUMING. */
    STOP_COPY(0),
    /** {@code VFIO_MIGRATION_P2P}: adds RUNNING_P2P. */
    P2P(1),
    /** {@code VFIO_MIGRATION_PRE_COPY}: adds PRE_COPY, and PRE_COPY_P2P together with {@link #P2P}. */
    PRE_COPY(2);

    private final int bit;

    MigrationFeature(int bit) {
        this.bit = bit;
    }

    /** The value of this feature in the flags word: a power of two. */
    public long flag() {
        return 1L << bit;
    }

    /** The flags word of a set of features. */
    public static long flagsOf(Set<MigrationFeature> features) {
        long flags = 0;
        for (MigrationFeature feature : features) {
            flags |= feature.flag();
        }
        return flags;
    }

    /**
     * The features of a flags word; bits that have no feature here are left out, as a newer kernel may set them.
     *
     * @return an unmodifiable set
     */
    public static Set<MigrationFeature> ofFlags(long flags) {
        Set<MigrationFeature> features = EnumSet.noneOf(MigrationFeature.class);
        for (MigrationFeature feature : values()) {
            if ((flags & feature.flag()) != 0) {
                features.add(feature);
            }
        }
        return Collections.unmodifiableSet(features);
    }
}
