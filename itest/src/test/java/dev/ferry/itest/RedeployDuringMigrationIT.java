// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.Bundles;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.GuestIT;
import dev.ferry.itest.harness.GuestRun;
import dev.ferry.itest.harness.PhaseGate;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;

/**
 * A bundle is stopped, updated and started again in each phase of a migration, while the guest has traffic: the
 * migration ends cleanly, and the next one works.
 */
@ExamReactorStrategy(PerClass.class)
public class RedeployDuringMigrationIT extends GuestIT {
    @Before
    public void configure() throws Exception {
        adapters.twoHosts(1);
    }

    @Test
    public void shouldEndMigrationCleanlyWhenProviderIsReplacedInAnyPhase() throws Exception {
        replaceInEveryPhase(FerryBundle.VIRTIO_NET_PROVIDER);
    }

    @Test
    public void shouldEndMigrationCleanlyWhenStreamFormatIsReplacedInAnyPhase() throws Exception {
        replaceInEveryPhase(FerryBundle.STREAM_VIRTIOVF);
    }

    @Test
    public void shouldEndMigrationCleanlyWhenMigrationServiceIsReplacedInAnyPhase() throws Exception {
        replaceInEveryPhase(FerryBundle.FSM_CORE);
    }

    /** With the emulator the devices themselves go, and the guest with them; what counts is that all ends. */
    @Test
    public void shouldEndMigrationAndServeNewDevicesWhenEmulatorIsReplacedInAnyPhase() throws Exception {
        for (MigrationPhase phase : MigrationPhase.values()) {
            GuestRun lost = GuestRun.boot(context, SOURCE, DESTINATION);
            replaceDuring(phase, lost, FerryBundle.EMULATOR);
            // The exerciser is wired to what the emulator exports: it moves to the new one.
            bundles.refresh(List.of(bundles.get(FerryBundle.EMULATOR)));

            GuestRun.boot(context, SOURCE, DESTINATION).migrateWell();
        }
    }

    private void replaceInEveryPhase(FerryBundle bundle) throws Exception {
        for (MigrationPhase phase : MigrationPhase.values()) {
            GuestRun run = GuestRun.boot(context, SOURCE, DESTINATION);
            MigrationReport report = replaceDuring(phase, run, bundle);
            if (phase.compareTo(MigrationPhase.COMMIT) > 0) {
                assertThat(report.result())
                        .as("%s replaced during %s: %s", bundle, phase, report)
                        .isEqualTo(MigrationReport.Result.COMPLETED);
            }
            Await.service(context, MigrationDriver.class, "(" + MigrationDriver.DEVICE_ID + "=" + SOURCE + ")");
            Await.service(context, MigrationDriver.class, "(" + MigrationDriver.DEVICE_ID + "=" + DESTINATION + ")");
            run.requireWell(report);

            GuestRun.boot(context, SOURCE, DESTINATION).migrateWell();
        }
    }

    /** Lets the migration go on as soon as the bundle has begun to stop. */
    private MigrationReport replaceDuring(MigrationPhase phase, GuestRun run, FerryBundle ferry) throws Exception {
        Bundle bundle = bundles.get(ferry);
        AtomicBoolean stopped = new AtomicBoolean();
        PhaseGate gate = new PhaseGate(phase, () -> stopped.get() || bundle.getState() != Bundle.ACTIVE);
        try (Bundles.Watch others = bundles.watch(othersThan(ferry))) {
            Migration migration = run.migrate(gate);
            gate.awaitReached();
            bundle.stop();
            stopped.set(true);
            Bundles.update(bundle);
            bundle.start();
            MigrationReport report = Await.result(migration.result());
            assertThat(others.events()).isEmpty();
            return report;
        } finally {
            gate.abandon();
        }
    }

    private static FerryBundle[] othersThan(FerryBundle replaced) {
        return Arrays.stream(FerryBundle.values())
                .filter(bundle -> bundle != replaced)
                .toArray(FerryBundle[]::new);
    }
}
