// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a device's present state asks of whatever device it is to be loaded into, and what the device itself takes: made
 * by a {@linkplain MigrationDriver#profile driver}, compared by {@code fsm-core} before the source is disturbed.
 *
 * <p>Whoever compares understands no names: a trait that the source asks for is held against the trait of the same name
 * and kind that the destination takes. A trait that only one end names is not compared, because drivers of different
 * age meet; the device has the last word when the state is loaded. Immutable; made of JDK types and enums alone, so
 * that it can go to another host.
 *
 * @param asks what the present state asks for
 * @param takes what the device could take
 */
public record DeviceProfile(List<Trait> asks, List<Trait> takes) {

    /**
     * Name of the {@link Names} trait of aspect RECORDS: the tags of the mandatory records that the device's own driver
     * writes and reads, as decimal numbers. For all drivers that frame their state in records.
     */
    public static final String RECORD_TAGS = "record tags";

    /** Copies the lists. */
    public DeviceProfile {
        asks = List.copyOf(asks);
        takes = List.copyOf(takes);
    }

    /** What a trait is about; decides under which code a difference is found. */
    public enum Aspect {
        /** Features of the device. */
        FEATURES,
        /** The parts that its state is made of. */
        PARTS,
        /** Number and size of its queues. */
        QUEUES,
        /** Anything else that is counted. */
        LIMITS,
        /** The records that its stream is made of. */
        RECORDS
    }

    /** One property. The name is for people, too; it is unique within one list. */
    public sealed interface Trait permits Exact, Names, Limits {
        /** What it is about. */
        Aspect aspect();

        /** For example {@code negotiated features}. */
        String name();
    }

    /** Both ends must have the same values. */
    public record Exact(Aspect aspect, String name, SortedSet<String> values) implements Trait {
        /** Copies the values. */
        public Exact {
            Objects.requireNonNull(aspect, "aspect");
            values = copy(values);
        }

        /** One value. */
        public static Exact of(Aspect aspect, String name, String value) {
            return new Exact(aspect, name, new TreeSet<>(Set.of(value)));
        }
    }

    /** The destination must take each name that the source asks for. */
    public record Names(Aspect aspect, String name, SortedSet<String> values) implements Trait {
        /** Copies the values. */
        public Names {
            Objects.requireNonNull(aspect, "aspect");
            values = copy(values);
        }
    }

    /** No value that the source asks for may be larger than what the destination takes under the same key. */
    public record Limits(Aspect aspect, String name, SortedMap<String, Long> values) implements Trait {
        /** Copies the values. */
        public Limits {
            Objects.requireNonNull(aspect, "aspect");
            values = Collections.unmodifiableSortedMap(new TreeMap<>((Map<String, Long>) values));
        }
    }

    private static SortedSet<String> copy(SortedSet<String> values) {
        return Collections.unmodifiableSortedSet(new TreeSet<>((Set<String>) values));
    }
}
