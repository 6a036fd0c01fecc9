// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.GuestIT;
import dev.ferry.itest.harness.GuestRun;
import dev.ferry.itest.harness.Saved;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.Map;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;

/** Guests on devices that speak only the command set of the device context, beside one that speaks virtio 1.4. */
@ExamReactorStrategy(PerClass.class)
public class ContextMigrationIT extends GuestIT {
    private static final String EQUAL = DESTINATION;
    private static final String LARGER = "host2/large/vf1";
    private static final String SHORT_QUEUES = "host2/short/vf1";
    private static final String PARTS = "host2/parts/vf1";

    /** Offset of the tag of the first record in a saved stream. */
    private static final int RECORD_TAG = 12;

    @Before
    public void configure() throws Exception {
        adapters.create(adapter("host1", "pf0", "context", 1, 256));
        adapters.create(adapter("host2", "pf0", "context", 1, 256));
        adapters.create(adapter("host2", "large", "context", 4, 1024));
        adapters.create(adapter("host2", "short", "context", 1, 4));
        adapters.create(adapter("host2", "parts", "parts", 1, 256));
        awaitDevices(SOURCE, EQUAL, LARGER, SHORT_QUEUES, PARTS);
    }

    private static Map<String, Object> adapter(String host, String name, String commands, int pairs, int queueSize) {
        return Map.of(
                "host", host,
                "name", name,
                "members", 1,
                "commands", commands,
                "queue.pairs", pairs,
                "queue.size", queueSize);
    }

    @Test
    public void shouldDriveEachOwnerByTheCommandSetItSpeaks() {
        assertThat(migrations.devices())
                .extracting(device -> device.id() + " by " + device.backend())
                .containsExactlyInAnyOrder(
                        SOURCE + " by virtio-context",
                        EQUAL + " by virtio-context",
                        LARGER + " by virtio-context",
                        SHORT_QUEUES + " by virtio-context",
                        PARTS + " by virtio");
    }

    @Test
    public void shouldMoveGuestWithoutLosingFramesWhenBothSpeakTheContext() throws Exception {
        MigrationReport report = boot(EQUAL).migrateWell();

        assertThat(report.stateBytes()).isPositive();
        assertThat(report.sourceState()).contains(DeviceState.STOP);
    }

    @Test
    public void shouldMoveGuestToALargerDevice() throws Exception {
        boot(LARGER).migrateWell();
    }

    @Test
    public void shouldNameTheFieldAndRunTheSourceAgainWhenTheContextDoesNotFit() throws Exception {
        GuestRun run = boot(SHORT_QUEUES);

        MigrationReport report = Await.result(run.migrate(MigrationListener.NONE).result());

        assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
        assertThat(report.failure().orElseThrow().message()).contains("VQ_CFG of queue 0");
        assertThat(migrations.device(SHORT_QUEUES).orElseThrow().state()).contains(DeviceState.RUNNING);
        run.requireWell(report);
    }

    @Test
    public void shouldFindInTheCheckThatADeviceTakesNoContext() throws Exception {
        GuestRun run = boot(PARTS);

        assertThat(migrations.check(MigrationRequest.of(SOURCE, PARTS)))
                .extracting(Finding::code)
                .contains(Finding.Code.RECORDS_MISMATCH);
        MigrationReport report = Await.result(run.migrate(MigrationListener.NONE).result());

        assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
        run.requireWell(report);
    }

    @Test
    public void shouldFindInTheCheckThatADeviceIsTooSmall() throws Exception {
        assertThat(migrations.check(MigrationRequest.of(LARGER, EQUAL)))
                .extracting(Finding::code)
                .contains(Finding.Code.QUEUES_MISMATCH, Finding.Code.FEATURES_MISMATCH);
        assertThat(migrations.check(MigrationRequest.of(EQUAL, LARGER))).isEmpty();
    }

    @Test
    public void shouldRefuseTheSavedStateOfTheOtherKindOfDevice() throws Exception {
        byte[] savedContext = Saved.of(migrations, EQUAL);
        byte[] savedParts = Saved.of(migrations, PARTS);
        assertThat(savedContext[RECORD_TAG]).isEqualTo((byte) 1);
        assertThat(savedParts[RECORD_TAG]).isEqualTo((byte) 0);

        assertRefused(PARTS, savedContext, "DEVICE_CONTEXT");
        assertRefused(EQUAL, savedParts, "DEVICE_DATA");

        assertThat(Saved.of(migrations, EQUAL)).isEqualTo(savedContext);
        assertThat(Saved.of(migrations, PARTS)).isEqualTo(savedParts);
    }

    private void assertRefused(String device, byte[] stream, String kind) {
        assertThatThrownBy(() -> Saved.restore(migrations, device, stream))
                .isInstanceOfSatisfying(MigrationException.class, refused -> {
                    assertThat(refused.failure().code()).isEqualTo(FailureCode.STREAM_REFUSED);
                    assertThat(refused.failure().message()).contains("the state is a " + kind);
                });
        assertThat(migrations.device(device).orElseThrow().state()).contains(DeviceState.RUNNING);
    }

    @Test
    public void shouldSaveSameBytesWhenStateWasRestored() throws Exception {
        byte[] saved = Saved.of(migrations, SOURCE);
        Saved.restore(migrations, SOURCE, saved);

        assertThat(Saved.of(migrations, SOURCE)).isEqualTo(saved);
    }

    private GuestRun boot(String destination) throws Exception {
        return GuestRun.boot(context, SOURCE, destination);
    }
}
