// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The time that a device takes for the commands of a migration; what is not named takes none. Immutable. The README of
 * this bundle has a source or a reasoning for every number of a profile.
 *
 * @param times in nanoseconds, 0 or more
 */
public record Latency(Map<Step, Long> times) {

    /** What takes time. */
    public enum Step {
        /** Creation of a device parts object. */
        CREATE_OBJECT("createObject"),
        /** From running to stopped. */
        STOP("stop"),
        /** From stopped to running. */
        RESUME("resume"),
        /** The first time that the state is read in one session: memory is taken for it. */
        FIRST_CAPTURE("firstCapture"),
        /** Every later time. */
        CAPTURE("capture"),
        /** The first time that a state is loaded in one session: memory and queues are made. */
        FIRST_LOAD("firstLoad"),
        /** Every later time. */
        LOAD("load");

        private final String key;

        Step(String key) {
            this.key = key;
        }
    }

    /** A device that takes no time. */
    public static final Latency NONE = new Latency(Map.of());

    private static final String NO_PROFILE = "none";
    private static final String ADAPTER_PROFILE = "smartnic";

    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final Pattern TIME = Pattern.compile("(\\d{1,9})(us|ms|s)");

    /** Copies the times. */
    public Latency {
        Map<Step, Long> copy = new EnumMap<>(Step.class);
        times.forEach((step, nanos) -> {
            if (nanos > 0) {
                copy.put(step, nanos);
            }
        });
        times = Collections.unmodifiableMap(copy);
    }

    /** Whether nothing takes time. */
    public boolean isNone() {
        return times.isEmpty();
    }

    /** Nanoseconds that a step takes. */
    long nanos(Step step) {
        return times.getOrDefault(step, 0L);
    }

    /**
     * Reads a configuration: the name of a profile, then any number of steps with another time, for example {@code
     * smartnic, firstLoad=2s, load=500us}.
     *
     * @throws IllegalArgumentException saying what is wrong and what there is
     */
    public static Latency parse(String text) {
        String[] words = text.strip().split("\\s*,\\s*");
        Map<Step, Long> times = new EnumMap<>(Step.class);
        times.putAll(profile(words[0]));
        for (int i = 1; i < words.length; i++) {
            String[] pair = words[i].split("\\s*=\\s*", 2);
            if (pair.length < 2) {
                throw new IllegalArgumentException(
                        "latency has '%s', which is not a step with its time, as in load=10ms".formatted(words[i]));
            }
            times.put(step(pair[0]), time(pair[1]));
        }
        return new Latency(times);
    }

    /** The times of {@link #ADAPTER_PROFILE} are also in {@code PreCopyWorkIT} of itest, which counts with them. */
    private static Map<Step, Long> profile(String name) {
        return switch (name) {
            case NO_PROFILE -> Map.of();
            case ADAPTER_PROFILE -> Map.of(
                    Step.CREATE_OBJECT, time("1ms"),
                    Step.STOP, time("50ms"),
                    Step.RESUME, time("50ms"),
                    Step.FIRST_CAPTURE, time("50ms"),
                    Step.CAPTURE, time("10ms"),
                    Step.FIRST_LOAD, time("1480ms"),
                    Step.LOAD, time("10ms"));
            default -> throw new IllegalArgumentException(
                    "latency must begin with the profile %s or %s, but has '%s'"
                            .formatted(NO_PROFILE, ADAPTER_PROFILE, name));
        };
    }

    private static Step step(String key) {
        for (Step step : Step.values()) {
            if (step.key.equals(key)) {
                return step;
            }
        }
        throw new IllegalArgumentException("latency has the step '%s', but there are only %s"
                .formatted(key, Arrays.stream(Step.values()).map(step -> step.key).collect(Collectors.joining(", "))));
    }

    private static long time(String text) {
        Matcher time = TIME.matcher(text);
        if (!time.matches()) {
            throw new IllegalArgumentException(
                    "latency has the time '%s'; write a whole number and us, ms or s".formatted(text));
        }
        long number = Long.parseLong(time.group(1));
        Duration duration = switch (time.group(2)) {
            case "us" -> Duration.ofNanos(number * 1_000);
            case "ms" -> Duration.ofMillis(number);
            default -> Duration.ofSeconds(number);
        };
        if (duration.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(
                    "latency has the time %s, but no step may take longer than %d s"
                            .formatted(text, LONGEST.toSeconds()));
        }
        return duration.toNanos();
    }
}
