// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One device breaks for good at any call of a migration, then the service ends, with or without the device being well
 * again: no guest's state acts in two places, and none is lost.
 */
class DepartureSweepTest {

    private static final int DEVICES = 2;
    private static final Set<DeviceState> SILENT =
            EnumSet.of(DeviceState.STOP, DeviceState.STOP_COPY, DeviceState.RESUMING, DeviceState.ERROR);
    private static final Optional<MigrationPhase> START = Optional.of(MigrationPhase.START);

    @ParameterizedTest
    @CsvSource({
        "false,false,false", "false,false,true", "false,true,false", "false,true,true",
        "true,false,false", "true,false,true", "true,true,false", "true,true,true",
    })
    void shouldRunEachStateOnceAtMostAndLoseNone(boolean canBeReset, boolean recovers, boolean sourcesFirst) {
        int all = Integer.MAX_VALUE;
        for (int chosen = 0; chosen < all; chosen++) {
            try (LiveRig rig = new LiveRig(DEVICES)) {
                AtomicInteger calls = new AtomicInteger();
                MigrationReport report = migrate(rig, calls, chosen, canBeReset);
                all = calls.get() <= chosen ? chosen : all;
                if (recovers) {
                    rig.intercept(LiveDriver.Interceptor.NONE);
                }
                rig.end(sourcesFirst);
                requireNoneTwice(rig);
                // Before COMMIT a source that can only be reset is reset, and the report says so.
                if (!canBeReset || report.failure().flatMap(Failure::phase).equals(START)) {
                    requireNoneLost(rig);
                }
            } catch (AssertionError e) {
                throw new AssertionError("call " + chosen, e);
            }
        }
    }

    /** The chosen call fails, and whatever device it is for takes no step from then on. */
    private static MigrationReport migrate(LiveRig rig, AtomicInteger calls, int chosen, boolean canBeReset) {
        AtomicReference<String> broken = new AtomicReference<>();
        rig.intercept((device, call) -> {
            if (calls.getAndIncrement() == chosen) {
                broken.set(device);
                throw new DeviceException(Errno.EIO, "broken");
            }
            boolean fails = call.contains("_TO_") || call.equals("reset") && !canBeReset;
            if (fails && device.equals(broken.get())) {
                throw new DeviceException(Errno.EIO, "broken");
            }
        });
        return rig.migrate();
    }

    private static void requireNoneTwice(LiveRig rig) {
        for (int i = 0; i < DEVICES; i++) {
            assertThat(holders(rig, i).stream().filter(holder -> !SILENT.contains(holder.device.state)))
                    .as("devices that act with the state of device %d", i)
                    .hasSizeLessThan(2);
        }
    }

    private static void requireNoneLost(LiveRig rig) {
        for (int i = 0; i < DEVICES; i++) {
            assertThat(holders(rig, i)).as("devices that hold the state of device %d", i).isNotEmpty();
        }
    }

    private static List<LiveDriver> holders(LiveRig rig, int device) {
        return Stream.of(rig.sources.get(device), rig.destinations.get(device))
                .filter(end -> end.device.text.equals(LiveRig.text(device)))
                .toList();
    }
}
