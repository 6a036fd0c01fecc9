// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.Bundles;
import dev.ferry.itest.harness.Container;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.Saved;
import dev.ferry.itest.harness.Unhurried;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationService;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** A driver made elsewhere, against the API alone, is dropped in while everything runs. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class VendorDriverIT {
    private static final String EXAMPLE =
            Path.of(System.getProperty("ferry.bundles"), "com.example.card.jar").toUri().toString();

    @Inject
    private BundleContext context;

    @Configuration
    public Option[] container() {
        return Container.ferry();
    }

    @Test
    public void shouldMigrateWithoutTouchingAnythingWhenVendorBundleAppears() throws Exception {
        Bundles bundles = new Bundles(context);
        MigrationService migrations = Await.service(context, MigrationService.class);
        try (Bundles.Watch watch = bundles.watch(FerryBundle.values())) {
            for (int round = 0; round < 2; round++) {
                Bundle vendor = bundles.deploy(EXAMPLE);
                Await.until(
                        context,
                        "the cards",
                        () -> migrations.device("card/b").isPresent(),
                        migrations::devices);

                MigrationReport report = Await.result(migrations
                        .start(Unhurried.move("card/a", "card/b"), MigrationListener.NONE)
                        .result());

                assertThat(report.result())
                        .as("%s", report.failure())
                        .isEqualTo(MigrationReport.Result.COMPLETED);
                assertThat(new String(Saved.of(migrations, "card/b"), StandardCharsets.UTF_8))
                        .endsWith("what the card holds");
                assertThat(migrations.device("card/b").orElseThrow().state()).contains(DeviceState.RUNNING);

                vendor.uninstall();
                Await.until(
                        context,
                        "the cards gone",
                        () -> migrations.device("card/b").isEmpty(),
                        migrations::devices);
            }
            assertThat(watch.events()).isEmpty();
        }
    }
}
