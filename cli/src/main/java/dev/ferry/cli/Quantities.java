// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.Bandwidth;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.TypeConversionException;

/**
 * Rates and times as users type them: a number and a unit, which is never guessed, since MB and Mbit, m for minutes and
 * for milliseconds, have been taken for one another.
 */
public final class Quantities {

    private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(-?[0-9]{1,12}(?:\\.[0-9]{1,9})?) ?([^ 0-9.]*)");
    private static final String UNLIMITED = "unlimited";
    private static final BigDecimal BITS_PER_BYTE = BigDecimal.valueOf(Byte.SIZE);
    private static final BigDecimal LARGEST = BigDecimal.valueOf(Long.MAX_VALUE - 1);
    /** The longest time that is taken: far beyond any migration, and still countable in nanoseconds. */
    private static final Duration LONGEST = Duration.ofDays(7);

    /** Bits or bytes in a second of each unit. */
    private static final Map<String, BigDecimal> BYTE_RATES = units("B/s", "kB/s", "MB/s", "GB/s", 1000);
    private static final Map<String, BigDecimal> BINARY_RATES = units("B/s", "KiB/s", "MiB/s", "GiB/s", 1024);
    private static final Map<String, BigDecimal> BIT_RATES = units("bit/s", "kbit/s", "Mbit/s", "Gbit/s", 1000);

    private static final Map<String, Duration> TIMES = times();

    private Quantities() {}

    private static Map<String, BigDecimal> units(String one, String kilo, String mega, String giga, long step) {
        Map<String, BigDecimal> units = new LinkedHashMap<>();
        BigDecimal factor = BigDecimal.ONE;
        for (String unit : new String[] {one, kilo, mega, giga}) {
            units.put(unit, factor);
            factor = factor.multiply(BigDecimal.valueOf(step));
        }
        return units;
    }

    private static Map<String, Duration> times() {
        Map<String, Duration> units = new LinkedHashMap<>();
        units.put("ms", Duration.ofMillis(1));
        units.put("s", Duration.ofSeconds(1));
        units.put("min", Duration.ofMinutes(1));
        units.put("h", Duration.ofHours(1));
        return units;
    }

    /** Whether these are a number and a unit that belong into one argument. */
    static boolean isTornApart(String number, String unit) {
        return NUMBER_AND_UNIT.matcher(number).matches()
                && Character.isDigit(number.charAt(number.length() - 1))
                && Stream.of(TIMES, BYTE_RATES, BINARY_RATES, BIT_RATES).anyMatch(units -> units.containsKey(unit));
    }

    /**
     * A rate: {@code 100MB/s}, {@code 1.5 Gbit/s}, {@code unlimited}.
     *
     * @param option for the sentence when it is none
     */
    public static Bandwidth bandwidth(String option, String text) throws UsageException {
        try {
            return bandwidth(text);
        } catch (TypeConversionException e) {
            throw new UsageException(option + ": " + e.getMessage());
        }
    }

    /** The same as the type of an option, of which the parser says what it is. */
    static Bandwidth bandwidth(String text) {
        if (text.equals(UNLIMITED)) {
            return Bandwidth.UNLIMITED;
        }
        Matcher typed = NUMBER_AND_UNIT.matcher(text.strip());
        if (!typed.matches()) {
            throw unclearRate(text, "is not a number greater than zero with a unit");
        }
        BigDecimal rate = new BigDecimal(typed.group(1)).multiply(bytesPerSecond(text, typed.group(2)));
        if (rate.compareTo(BigDecimal.ONE) < 0 || rate.compareTo(LARGEST) > 0) {
            throw new TypeConversionException("'%s' is neither 1 B/s to %d GB/s nor 'unlimited'"
                    .formatted(text, LARGEST.divideToIntegralValue(BYTE_RATES.get("GB/s")).longValue()));
        }
        return new Bandwidth(rate.longValue());
    }

    private static BigDecimal bytesPerSecond(String text, String unit) {
        if (BIT_RATES.containsKey(unit)) {
            return BIT_RATES.get(unit).divide(BITS_PER_BYTE);
        }
        if (BYTE_RATES.containsKey(unit)) {
            return BYTE_RATES.get(unit);
        }
        if (BINARY_RATES.containsKey(unit)) {
            return BINARY_RATES.get(unit);
        }
        throw unclearRate(text, unit.isEmpty() ? "has no unit" : "has the unit '" + unit + "', which is not clear");
    }

    private static TypeConversionException unclearRate(String text, String why) {
        return new TypeConversionException("'%s' %s; write bytes per second as B/s, kB/s, MB/s, GB/s (times 1000) or "
                        .formatted(text, why)
                + "KiB/s, MiB/s, GiB/s (times 1024), or bits as bit/s, kbit/s, Mbit/s, Gbit/s, for example 100MB/s");
    }

    /** A time of more than zero: {@code 300ms}, {@code 1.5s}, {@code 10 min}; the type of an option. */
    static Duration time(String text) {
        Matcher typed = NUMBER_AND_UNIT.matcher(text.strip());
        Duration unit = typed.matches() ? TIMES.get(typed.group(2)) : null;
        if (unit == null) {
            throw new TypeConversionException("'%s' is not a number with one of the units %s, for example 300ms"
                    .formatted(text, String.join(", ", TIMES.keySet())));
        }
        BigDecimal nanos = new BigDecimal(typed.group(1))
                .multiply(BigDecimal.valueOf(unit.toNanos()))
                .setScale(0, RoundingMode.HALF_UP);
        if (nanos.signum() <= 0 || nanos.compareTo(BigDecimal.valueOf(LONGEST.toNanos())) > 0) {
            throw new TypeConversionException(
                    "'%s' is not more than zero and at most %d h".formatted(text, LONGEST.toHours()));
        }
        return Duration.ofNanos(nanos.longValueExact());
    }
}
