// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One device breaks for good at any call of a migration, or when it has just taken any step, then the service ends,
 * with or without the device being well again: no guest's state acts in two places, and none is lost.
 */
class DepartureSweepTest {

    private static final int DEVICES = 2;
    private static final Set<DeviceState> SILENT =
            EnumSet.of(DeviceState.STOP, DeviceState.STOP_COPY, DeviceState.RESUMING, DeviceState.ERROR);
    private static final Optional<MigrationPhase> START = Optional.of(MigrationPhase.START);

    static Stream<Arguments> cases() {
        return Stream.of(Moment.values())
                .flatMap(moment -> IntStream.range(0, 1 << 3).mapToObj(bits ->
                        Arguments.of(moment, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldRunEachStateOnceAtMostAndLoseNone(
            Moment moment, boolean canBeReset, boolean recovers, boolean sourcesFirst) {
        int all = Integer.MAX_VALUE;
        for (int chosen = 0; chosen < all; chosen++) {
            try (LiveRig rig = new LiveRig(DEVICES)) {
                Breakdown breakdown = new Breakdown(moment, chosen, canBeReset);
                rig.intercept(breakdown);
                MigrationReport report = rig.migrate();
                boolean broke = breakdown.device != null;
                all = broke ? all : chosen;
                if (recovers || !broke) {
                    rig.intercept(LiveDriver.Interceptor.NONE);
                }
                rig.end(sourcesFirst);
                requireNoneTwice(rig);
                // Before COMMIT a source that can only be reset is reset, and the report says so.
                if (!canBeReset || report.failure().flatMap(Failure::phase).equals(START)) {
                    requireNoneLost(rig);
                }
                if (report.result() == MigrationReport.Result.COMPLETED && (canBeReset || recovers)) {
                    requireSourcesBlank(rig);
                }
            } catch (AssertionError e) {
                throw new AssertionError("call " + chosen, e);
            }
        }
        assertThat(all).as("calls of a migration in which nothing goes wrong").isGreaterThan(10);
    }

    /** When a device breaks. */
    enum Moment {
        BEFORE_A_CALL,
        /** Of those that open no session: there a driver takes back what it did. */
        AFTER_A_STEP
    }

    /** The chosen call fails, and whatever device it is for takes no step from then on. */
    private static final class Breakdown implements LiveDriver.Interceptor {
        private final Moment moment;
        private final int chosen;
        private final boolean canBeReset;
        private int calls;
        private String device;

        Breakdown(Moment moment, int chosen, boolean canBeReset) {
            this.moment = moment;
            this.chosen = chosen;
            this.canBeReset = canBeReset;
        }

        @Override
        public synchronized void call(String called, String call) throws DeviceException {
            if (called.equals(device) && (call.contains("_TO_") || call.equals("reset") && !canBeReset)) {
                throw new DeviceException(Errno.EIO, "broken");
            }
            if (moment == Moment.BEFORE_A_CALL) {
                count(called);
            }
        }

        @Override
        public synchronized void taken(String called, Arc arc) throws DeviceException {
            boolean opens = switch (arc.sessionEffect()) {
                case OPENS_SAVING, OPENS_RESUMING -> true;
                case NONE, CONTINUES, ENDS -> false;
            };
            if (moment == Moment.AFTER_A_STEP && !opens) {
                count(called);
            }
        }

        private void count(String called) throws DeviceException {
            if (calls++ == chosen) {
                device = called;
                throw new DeviceException(Errno.EIO, "broken");
            }
        }
    }

    private static void requireSourcesBlank(LiveRig rig) {
        assertThat(rig.sources).allMatch(source -> source.device.text.equals(ScriptedDriver.FRESH)
                && source.device.state == DeviceState.RUNNING);
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
