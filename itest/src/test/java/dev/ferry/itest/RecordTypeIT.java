// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.Bundles;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.FerryIT;
import dev.ferry.itest.harness.Saved;
import dev.ferry.itest.harness.TestBundle;
import dev.ferry.itest.harness.Unhurried;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import java.util.List;
import java.util.function.Supplier;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;

/** A vendor's record type is deployed and withdrawn while everything runs. */
@ExamReactorStrategy(PerClass.class)
public class RecordTypeIT extends FerryIT {
    private static final String NOTES = "(ferry.itest=notes)";

    @Override
    @Configuration
    public Option[] container() throws Exception {
        TestBundle.OPTIONAL_RECORD.make();
        TestBundle.MANDATORY_RECORD.make();
        return super.container();
    }

    @Before
    public void configure() throws Exception {
        adapters.twoHosts(1);
        awaitDevices(SOURCE, DESTINATION);
    }

    @After
    public void withdrawRecordTypes() throws Exception {
        for (TestBundle bundle : List.of(TestBundle.OPTIONAL_RECORD, TestBundle.MANDATORY_RECORD)) {
            var left = bundles.find(bundle.symbolicName());
            if (left.isPresent()) {
                left.get().uninstall();
            }
        }
    }

    @Test
    public void shouldCarryAndLoadRecordsOfTypeDeployedAtRunTime() throws Exception {
        try (Bundles.Watch watch = bundles.watch(FerryBundle.values())) {
            bundles.deploy(TestBundle.MANDATORY_RECORD);

            assertThat(migrate().result()).isEqualTo(MigrationReport.Result.COMPLETED);

            assertThat(loaded()).isNotEmpty().allMatch(note -> note.startsWith("note "));
            assertThat(watch.events()).isEmpty();
        }
    }

    @Test
    public void shouldSkipOptionalRecordsWhenTypeIsAbsentAtReceiver() throws Exception {
        withdrawAtNextSaveOf(TestBundle.OPTIONAL_RECORD);

        MigrationReport report = migrate();

        assertThat(report.result()).as("%s", report).isEqualTo(MigrationReport.Result.COMPLETED);
        assertThat(loaded()).isEmpty();
    }

    @Test
    public void shouldRefuseMandatoryRecordsAndRunSourceAgainWhenTypeIsAbsentAtReceiver() throws Exception {
        withdrawAtNextSaveOf(TestBundle.MANDATORY_RECORD);

        MigrationReport report = migrate();

        assertThat(report.result()).as("%s", report).isEqualTo(MigrationReport.Result.FAILED);
        assertThat(report.failure().orElseThrow().code()).as("%s", report).isEqualTo(FailureCode.STREAM_REFUSED);
        assertThat(migrations.device(SOURCE).orElseThrow().state()).contains(DeviceState.RUNNING);
        assertThat(migrate().result()).isEqualTo(MigrationReport.Result.COMPLETED);
    }

    @Test
    public void shouldRefuseSavedStreamWithMandatoryRecordsWhenTypeWasWithdrawn() throws Exception {
        byte[] plain = Saved.of(migrations, SOURCE);
        Bundle type = bundles.deploy(TestBundle.MANDATORY_RECORD);
        byte[] withNotes = Saved.of(migrations, SOURCE);
        assertThat(withNotes.length).isGreaterThan(plain.length);
        type.uninstall();

        assertThatThrownBy(() -> Saved.restore(migrations, DESTINATION, withNotes))
                .isInstanceOfSatisfying(MigrationException.class, refused -> assertThat(
                                refused.failure().code())
                        .isEqualTo(FailureCode.STREAM_REFUSED));

        assertThat(migrations.device(DESTINATION).orElseThrow().state()).contains(DeviceState.RUNNING);
    }

    private MigrationReport migrate() throws Exception {
        return Await.result(migrations
                .start(Unhurried.move(SOURCE, DESTINATION), MigrationListener.NONE)
                .result());
    }

    private void withdrawAtNextSaveOf(TestBundle bundle) throws Exception {
        bundles.deploy(bundle);
        Await.service(context, Runnable.class, NOTES).run();
    }

    @SuppressWarnings("unchecked")
    private List<String> loaded() throws Exception {
        return ((Supplier<List<String>>) Await.service(context, Supplier.class, NOTES)).get();
    }
}
