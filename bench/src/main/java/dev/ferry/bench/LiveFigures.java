// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * Figures of live migrations, each beside what it is to be compared with, from the same run. Not for JMH: a migration is
 * no operation to repeat a million times. {@code java -cp JAR dev.ferry.bench.LiveFigures harvest|memory|devices}.
 */
public final class LiveFigures {

    private static final int WARM_UPS = 4;
    private static final int RUNS = 9;

    private LiveFigures() {}

    /** One measurement, in nanoseconds. */
    @FunctionalInterface
    interface Measured {
        /** Does it once. */
        long nanos() throws Exception;
    }

    /** Prints what its arguments name; all without any. */
    public static void main(String... arguments) throws Exception {
        String[] parts = arguments.length == 0 ? new String[] {"harvest", "memory", "devices"} : arguments;
        for (String part : parts) {
            switch (part) {
                case "harvest" -> HarvestFigures.print();
                case "memory" -> MemoryFigures.print();
                case "devices" -> DeviceFigures.print();
                default -> throw new IllegalArgumentException("there are harvest, memory and devices, not " + part);
            }
        }
    }

    /** The medians of some runs, which take turns so that all see the same machine, after some that do not count. */
    static double[] medians(Measured... measured) throws Exception {
        double[][] nanos = new double[measured.length][RUNS];
        for (int run = -WARM_UPS; run < RUNS; run++) {
            for (int i = 0; i < measured.length; i++) {
                long taken = measured[i].nanos();
                if (run >= 0) {
                    nanos[i][run] = taken;
                }
            }
        }
        return Arrays.stream(nanos).mapToDouble(each -> Arrays.stream(each).sorted().toArray()[RUNS / 2]).toArray();
    }

    static void line(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }
}
