// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Figures of live migrations, each beside what it is to be compared with, from the same run. Not for JMH: a migration
 * is no operation to repeat a million times. The README has the command, and what each part prints.
 */
public final class LiveFigures {

    private static final String ONCE = "--once";
    private static final List<String> PARTS = List.of("harvest", "memory", "held", "devices", "smartnic");

    private LiveFigures() {}

    /** One measurement, in nanoseconds. */
    @FunctionalInterface
    interface Measured {
        /** Does it once. */
        long nanos() throws Exception;
    }

    /** Prints what its arguments name; all without any. With {@code --once} everything small, to see that it works. */
    public static void main(String... arguments) throws Exception {
        List<String> named = new ArrayList<>(List.of(arguments));
        Effort effort = named.remove(ONCE) ? Effort.ONCE : Effort.FULL;
        for (String part : named.isEmpty() ? PARTS : named) {
            switch (part) {
                case "harvest" -> HarvestFigures.print(effort);
                case "memory" -> MemoryFigures.print(effort);
                case "held" -> HeldFigures.print(effort);
                case "devices" -> DeviceFigures.atOnce(effort);
                case "smartnic" -> DeviceFigures.slow(effort);
                default -> throw new IllegalArgumentException("there are " + PARTS + ", not " + part);
            }
        }
    }

    /** The medians of some runs, which take turns so that all see the same machine, after some that do not count. */
    static double[] medians(Effort effort, Measured... measured) throws Exception {
        double[][] nanos = new double[measured.length][effort.runs()];
        for (int run = -effort.warmUps(); run < effort.runs(); run++) {
            for (int i = 0; i < measured.length; i++) {
                long taken = measured[i].nanos();
                if (run >= 0) {
                    nanos[i][run] = taken;
                }
            }
        }
        return Arrays.stream(nanos).mapToDouble(LiveFigures::median).toArray();
    }

    /** The middle one of an odd number of values. */
    static double median(double... values) {
        return Arrays.stream(values).sorted().toArray()[values.length / 2];
    }

    static void line(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }
}
