// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.UsageException;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Parameters;

/**
 * The devices of one migration as users type them: two lists with commas, in the same order. A mixin; confined to the
 * thread of the run.
 */
final class DeviceLists {

    private static final String COMMA = ",";

    @Parameters(
            index = "0",
            paramLabel = "SOURCE",
            description = "Id of the device that runs now; of several, with commas between them.")
    private String source;

    @Parameters(
            index = "1",
            paramLabel = "DESTINATION",
            description = "Id of the device that is to run afterwards; of several, in the order of the sources.")
    private String destination;

    /** The first list as it was typed. */
    String source() {
        return source;
    }

    /** The second list as it was typed. */
    String destination() {
        return destination;
    }

    /** One request with all defaults. */
    MigrationRequest request() throws UsageException {
        List<String> from = parse(source);
        List<String> to = parse(destination);
        if (from.size() != to.size()) {
            throw new UsageException("there are %s but %s: name one destination for each source, in the same order"
                    .formatted(count(from.size(), "source"), count(to.size(), "destination")));
        }
        if (from.size() > MigrationRequest.MAX_DEVICES) {
            throw new UsageException("one migration moves at most %d devices, not %d".formatted(
                    MigrationRequest.MAX_DEVICES, from.size()));
        }
        List<DevicePair> pairs = new ArrayList<>();
        for (int i = 0; i < from.size(); i++) {
            pairs.add(new DevicePair(from.get(i), to.get(i)));
        }
        return MigrationRequest.of(pairs);
    }

    private static List<String> parse(String list) throws UsageException {
        // With a limit below zero: the empty name at the end of "a," is refused, not left out.
        List<String> names = List.of(list.split(COMMA, -1));
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            Names.requireDevice(name);
            if (!seen.add(name)) {
                throw new UsageException("the device " + name + " is named twice");
            }
        }
        return names;
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }
}
