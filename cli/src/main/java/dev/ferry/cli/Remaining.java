// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationProgress.Transfer;
import java.util.Optional;

/**
 * What is left to carry. Of a device nobody knows it until the first look at its state, which comes after its
 * destination made room; until then it has carried nothing and has nothing left.
 *
 * @param bytes as far as known
 * @param whole whether that is all of it
 */
public record Remaining(long bytes, boolean whole) {

    private static final int COMPLETE = 100;

    /** Of one device. */
    public static Remaining of(MigrationProgress.Device device) {
        return new Remaining(device.transfer().remainingBytes(), isKnown(device.transfer()));
    }

    /** Of all devices and the memory. */
    public static Remaining of(MigrationProgress progress) {
        boolean whole = progress.percent() == COMPLETE
                || isKnown(progress.total())
                        && progress.devices().stream().allMatch(device -> isKnown(device.transfer()));
        return new Remaining(progress.total().remainingBytes(), whole);
    }

    private static boolean isKnown(Transfer transfer) {
        return transfer.bytes() > 0 || transfer.remainingBytes() > 0;
    }

    /** For scripts: empty where not all of it is known. */
    public Optional<Long> known() {
        return whole ? Optional.of(bytes) : Optional.empty();
    }

    /** For people: {@code 12.3 MiB}, {@code at least 12.3 MiB} or {@code unknown}. */
    public String text() {
        if (whole) {
            return Amounts.bytes(bytes);
        }
        return bytes == 0 ? "unknown" : "at least " + Amounts.bytes(bytes);
    }
}
