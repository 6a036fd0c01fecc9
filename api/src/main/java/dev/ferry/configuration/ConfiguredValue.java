// SPDX-License-Identifier: Apache-2.0
package dev.ferry.configuration;

import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One value of a component's configuration: the last one that was right. What is wrong is told in one sentence, and
 * changes nothing. Thread-safe.
 *
 * @param <T> type of the value, immutable; its text is told
 */
public final class ConfiguredValue<T> {

    private final String pid;
    private final String key;
    private final Consumer<? super T> check;
    private final Consumer<String> complaints;
    private volatile T inForce;

    private ConfiguredValue(
            String pid, String key, T initial, Consumer<? super T> check, Consumer<String> complaints) {
        this.pid = pid;
        this.key = key;
        this.inForce = initial;
        this.check = check;
        this.complaints = complaints;
    }

    /**
     * A value of which everything is right that can be read.
     *
     * @param pid of the configuration, for complaints
     * @param key in it, for complaints
     * @param initial in force until something right is configured
     * @param complaints takes a sentence, as a log does
     */
    public static <T> ConfiguredValue<T> of(String pid, String key, T initial, Consumer<String> complaints) {
        return new ConfiguredValue<>(pid, key, initial, value -> {}, complaints);
    }

    /** A number from {@code least} to {@code most}; the rest as for other values. */
    public static <N extends Comparable<N>> ConfiguredValue<N> between(
            String pid, String key, N initial, N least, N most, Consumer<String> complaints) {
        Consumer<N> check = value -> {
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new IllegalArgumentException("it must be %s to %s, not %s".formatted(least, most, value));
            }
        };
        return new ConfiguredValue<>(pid, key, initial, check, complaints);
    }

    /**
     * Takes what is configured.
     *
     * @param configured asked once; throws where there is no such value: Declarative Services does so from the getter
     *     of what it could not convert
     * @return the value in force from now on
     */
    public T update(Supplier<? extends T> configured) {
        try {
            T value = Objects.requireNonNull(configured.get(), "there is no value");
            check.accept(value);
            inForce = value;
        } catch (RuntimeException e) {
            complaints.accept("%s in the configuration %s is not taken: %s; %s stays in force"
                    .formatted(key, pid, Objects.requireNonNullElse(e.getMessage(), e.toString()), inForce));
        }
        return inForce;
    }

    /** The value in force. */
    public T get() {
        return inForce;
    }
}
