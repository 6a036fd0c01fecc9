// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Data transfer sessions that break their contract end the migration, and name the device. */
class BrokenSessionsTest {

    private static void assertBroken(MigrationReport report, String device, String message) {
        Failure failure = report.failure().orElseThrow();
        assertThat(report.result()).isEqualTo(Result.FAILED);
        assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
        assertThat(failure.errno()).contains(Errno.EIO);
        assertThat(failure.device()).contains(device);
        assertThat(failure.message()).contains(message);
    }

    @Test
    void shouldNotTakeNoDataForNowForTheEndOfADeviceThatStopped() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.sources.get(1).readAnswers = Map.of(DeviceState.STOP_COPY, 0);
            assertBroken(rig.migrate(), "host1/vf1", "neither data nor an end of stream in STOP_COPY");
            rig.assertSourceOwns();
            rig.assertNoSessions();
        }
    }

    @Test
    void shouldNotTakeTheEndOfAStreamInPreCopyForNoDataForNow() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.sources.get(1).readAnswers = Map.of(DeviceState.PRE_COPY, -1);
            assertBroken(rig.migrate(), "host1/vf1", "ended its stream in PRE_COPY");
            rig.assertSourceOwns();
            rig.assertNoSessions();
        }
    }

    @Test
    void shouldNotGoOnWhenADestinationTakesOnlyAPartOfWhatItIsGiven() {
        try (LiveRig rig = new LiveRig(2)) {
            AtomicBoolean first = new AtomicBoolean(true);
            rig.destinations.get(1).interceptor = (device, call) -> {
                if (call.equals("write") && first.getAndSet(false)) {
                    throw new LiveDriver.Short();
                }
            };
            assertBroken(rig.migrate(), "host2/vf1", "did not take all bytes in RESUMING");
            rig.assertSourceOwns();
            rig.assertNoSessions();
        }
    }
}
