// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.GuestIT;
import dev.ferry.itest.harness.GuestRun;
import dev.ferry.itest.harness.PhaseGate;
import dev.ferry.itest.harness.Saved;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;

/** A guest under traffic moves between emulated hosts; device states are saved and restored. */
@ExamReactorStrategy(PerClass.class)
public class MigrationIT extends GuestIT {
    /** Offsets in a saved stream: the tag of the first record, type and flags of its first device part. */
    private static final int RECORD_TAG = 12;

    private static final int PART_TYPE = 16;
    private static final int PART_FLAGS = 18;

    @Before
    public void configure() throws Exception {
        adapters.twoHosts(1);
        awaitDevices(SOURCE, DESTINATION);
    }

    @Test
    public void shouldMoveGuestWithoutLosingFramesWhenMigrated() throws Exception {
        MigrationReport report = boot().migrateWell();

        assertThat(report.phases()).extracting(MigrationReport.Phase::phase).containsExactly(MigrationPhase.values());
        assertThat(report.stateBytes()).isPositive();
        assertThat(report.memoryBytes()).isPositive();
        assertThat(report.downtime()).isPositive().isLessThan(report.total());
        assertThat(report.sourceState()).contains(DeviceState.STOP);
    }

    @Test
    public void shouldMoveGuestWithoutLosingFramesWhenMigratedWithoutPreCopy() throws Exception {
        GuestRun run = boot();

        MigrationReport report = Await.result(
                migrations.start(run.request().withPreCopy(false), MigrationListener.NONE).result());

        assertThat(report.result()).as("%s", report).isEqualTo(MigrationReport.Result.COMPLETED);
        assertThat(report.phases())
                .extracting(MigrationReport.Phase::phase)
                .doesNotContain(MigrationPhase.PRE_COPY);
        run.requireWell(report);
    }

    @Test
    public void shouldRunSourceAgainWhenCancelledInAnyPhaseBeforeCommit() throws Exception {
        for (MigrationPhase phase : MigrationPhase.values()) {
            if (phase.compareTo(MigrationPhase.COMMIT) < 0) {
                GuestRun run = boot();
                PhaseGate gate = new PhaseGate(phase, () -> false);
                Migration migration = run.migrate(gate);
                gate.awaitReached();

                assertThat(migration.cancel()).as("%s", phase).isTrue();
                gate.abandon();

                MigrationReport report = Await.result(migration.result());
                assertThat(report.result()).as("%s", report).isEqualTo(MigrationReport.Result.CANCELLED);
                run.requireWell(report);
            }
        }
    }

    @Test
    public void shouldKeepGuestRunningWhenItsDeviceIsSaved() throws Exception {
        GuestRun run = boot();

        assertThat(Saved.of(migrations, SOURCE)).isNotEmpty();

        run.requireWellAtSource();
    }

    @Test
    public void shouldSaveSameBytesWhenStateWasRestoredToAnotherAdapter() throws Exception {
        GuestRun run = boot();
        run.quiet();
        Guest source = run.guests()[0];
        Guest destination = run.guests()[1];
        source.pause();
        copy(source.memory(), destination.memory());
        destination.loadDeviceConfig(DESTINATION, source.saveDeviceConfig(SOURCE));

        byte[] saved = Saved.of(migrations, SOURCE);
        Saved.restore(migrations, DESTINATION, saved);

        assertThat(Saved.of(migrations, DESTINATION)).isEqualTo(saved);
    }

    @Test
    public void shouldKeepStateWhenStreamToRestoreIsRefused() throws Exception {
        byte[] other = Saved.of(migrations, DESTINATION);
        GuestRun run = boot();
        byte[] unknownRecord = other.clone();
        unknownRecord[RECORD_TAG] = 0x77;
        byte[] unknownPart = other.clone();
        unknownPart[PART_TYPE] ^= (byte) 0xFF;
        unknownPart[PART_FLAGS] = 0;
        byte[] truncated = Arrays.copyOf(other, other.length - 1);

        for (byte[] bad : List.of(new byte[0], truncated, unknownRecord, unknownPart)) {
            assertThatThrownBy(() -> Saved.restore(migrations, SOURCE, bad))
                    .as("%s", Arrays.toString(bad))
                    .isInstanceOfSatisfying(MigrationException.class, refused -> assertThat(
                                    refused.failure().code())
                            .isEqualTo(FailureCode.STREAM_REFUSED));
            assertThat(migrations.device(SOURCE).orElseThrow().state()).contains(DeviceState.RUNNING);
        }

        run.requireWellAtSource();
    }

    @Test
    public void shouldNeverRunOldStateOfReleasedSource() throws Exception {
        byte[] blank = Saved.of(migrations, SOURCE);
        boot().migrateWell();

        assertThat(migrations.check(MigrationRequest.of(SOURCE, DESTINATION)))
                .extracting(Finding::code)
                .contains(Finding.Code.SOURCE_NOT_RUNNING);
        assertThatThrownBy(() -> Saved.of(migrations, SOURCE)).isInstanceOf(MigrationException.class);
        migrations.setState(SOURCE, DeviceState.RUNNING);

        assertThat(Saved.of(migrations, SOURCE)).isEqualTo(blank);
    }

    /** Whoever knew that the source was released is gone; nobody may take its old state for a running device's. */
    @Test
    public void shouldNeverRunOldStateOfReleasedSourceWhenAnyBundleIsRestarted() throws Exception {
        for (FerryBundle restarted :
                List.of(FerryBundle.FSM_CORE, FerryBundle.VIRTIO_NET_PROVIDER, FerryBundle.STREAM_VIRTIOVF)) {
            migrations.setState(SOURCE, DeviceState.RUNNING);
            byte[] blank = Saved.of(migrations, SOURCE);
            boot().migrateWell();
            Bundle bundle = bundles.get(restarted);
            bundle.stop();
            bundle.start();
            migrations = Await.service(context, MigrationService.class);
            awaitDevices(SOURCE, DESTINATION);
            migrations.setState(SOURCE, DeviceState.RUNNING);

            assertThat(Saved.of(migrations, SOURCE)).as("%s restarted", restarted).isEqualTo(blank);
        }
    }

    private GuestRun boot() throws Exception {
        return GuestRun.boot(context, SOURCE, DESTINATION);
    }

    private static void copy(GuestMemory from, GuestMemory to) throws Exception {
        for (IovaRange range : from.ranges()) {
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(range.length()));
            from.read(range.iova(), bytes);
            to.write(range.iova(), bytes.flip());
        }
    }
}
