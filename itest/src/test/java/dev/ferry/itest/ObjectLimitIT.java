// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FerryIT;
import dev.ferry.itest.harness.Objects;
import dev.ferry.itest.harness.Unhurried;
import dev.ferry.migration.Finding;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.virtio.AdminQueue;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.junit.After;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.service.cm.ConfigurationAdmin;

/** An owner device has 255 device parts objects for all its VFs; whoever wants one more is refused, or waits. */
@ExamReactorStrategy(PerClass.class)
public class ObjectLimitIT extends FerryIT {
    private static final String PROVIDER = "dev.ferry.virtio.net.provider";
    private static final int OBJECTS = 255;
    private static final int MEMBERS = 300;

    @After
    public void unconfigure() throws Exception {
        adapters.close();
        provider().delete();
        Await.until(context, "no devices", () -> migrations.devices().isEmpty());
    }

    private org.osgi.service.cm.Configuration provider() throws Exception {
        ConfigurationAdmin admin = context.getService(context.getServiceReference(ConfigurationAdmin.class));
        return admin.getConfiguration(PROVIDER, "?");
    }

    /** Sets how long a job may wait for an object, before there are devices; in force when the driver has taken it. */
    private void allowWaiting(int millis) throws Exception {
        provider().update(new Hashtable<>(Map.of("object.wait.millis", millis)));
    }

    private void twoHosts(int objectLimit) throws Exception {
        for (String host : List.of("host1", "host2")) {
            adapters.create(Map.of("host", host, "name", "pf0", "members", MEMBERS, "objectLimit", objectLimit));
        }
        Await.until(context, "the devices", () -> migrations.devices().size() == 2 * MEMBERS);
    }

    private static String source(int member) {
        return "host1/pf0/vf" + member;
    }

    private static String destination(int member) {
        return "host2/pf0/vf" + member;
    }

    private void openAllSessions() throws Exception {
        for (int member = 1; member <= OBJECTS; member++) {
            migrations.setState(source(member), DeviceState.STOP_COPY);
        }
    }

    private void assertNoObjectIsLeft(int limit) throws Exception {
        for (String owner : List.of("host1/pf0", "host2/pf0")) {
            AdminQueue queue = Await.service(context, AdminQueue.class, "(ferry.owner.id=" + owner + ")");
            assertThat(new Objects(queue).inUse(limit)).as(owner).isEmpty();
        }
    }

    private void closeAllSessions() throws Exception {
        for (int member = 1; member <= OBJECTS; member++) {
            migrations.setState(source(member), DeviceState.RUNNING);
        }
    }

    private Migration start(int member) {
        return migrations.start(Unhurried.move(source(member), destination(member)), MigrationListener.NONE);
    }

    @Test
    public void shouldRefuseTheSessionBehindTheLastObjectWhenNobodyMayWait() throws Exception {
        allowWaiting(0);
        twoHosts(OBJECTS);
        openAllSessions();

        assertThatThrownBy(() -> migrations.setState(source(256), DeviceState.STOP_COPY))
                .isInstanceOfSatisfying(MigrationException.class, e -> {
                    assertThat(e.failure().errno()).contains(Errno.ENOSPC);
                    assertThat(e.failure().message())
                            .contains("all 255 device parts objects of host1/pf0 are in use")
                            .contains("object.wait.millis");
                });
        assertThat(migrations.device(source(256)).orElseThrow().state()).contains(DeviceState.RUNNING);
        assertThat(migrations.check(MigrationRequest.of(source(256), destination(256))))
                .extracting(Finding::code)
                .containsExactly(Finding.Code.NO_FREE_SESSION);
        MigrationReport report = Await.result(start(256).result());
        assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
        assertThat(migrations.device(source(256)).orElseThrow().state()).contains(DeviceState.RUNNING);

        closeAllSessions();
        assertNoObjectIsLeft(OBJECTS);
    }

    @Test
    public void shouldWaitForTheNextObjectUnlessThatIsForbidden() throws Exception {
        twoHosts(OBJECTS);
        openAllSessions();
        Migration first = start(256);
        Await.until(context, "the first to wait", () -> first.phase() == MigrationPhase.CONNECT);
        Migration cancelled = start(257);
        Await.until(context, "the second to wait", () -> cancelled.phase() == MigrationPhase.CONNECT);
        assertThat(cancelled.cancel()).isTrue();
        assertThat(Await.result(cancelled.result()).result()).isEqualTo(MigrationReport.Result.CANCELLED);
        assertThat(first.result().toCompletableFuture()).isNotDone();
        assertThat(migrations.device(source(256)).orElseThrow().state()).contains(DeviceState.RUNNING);

        migrations.setState(source(7), DeviceState.RUNNING);

        assertThat(Await.result(first.result()).result()).isEqualTo(MigrationReport.Result.COMPLETED);
        closeAllSessions();
        assertNoObjectIsLeft(OBJECTS);
    }

    @Test
    public void shouldMigrateAllMembersWhenNobodyMayWait() throws Exception {
        allowWaiting(0);
        twoHosts(OBJECTS);
        migrateAll();
        assertNoObjectIsLeft(OBJECTS);
    }

    @Test
    public void shouldMigrateAllMembersThroughFewObjects() throws Exception {
        twoHosts(3);
        migrateAll();
        assertNoObjectIsLeft(3);
    }

    private void migrateAll() throws Exception {
        List<Migration> started = new ArrayList<>();
        for (int member = 1; member <= MEMBERS; member++) {
            started.add(start(member));
        }
        for (Migration migration : started) {
            MigrationReport report = Await.result(migration.result());
            assertThat(report.result()).as("%s", report).isEqualTo(MigrationReport.Result.COMPLETED);
        }
    }
}
