// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.DeviceProfile.Aspect;
import dev.ferry.device.DeviceProfile.Exact;
import dev.ferry.device.DeviceProfile.Trait;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What jobs do while drivers have no place for their sessions, and what they learn from profiles. */
class SessionPlacesTest {

    private static void assertUntouched(MigrationRig rig) {
        assertThat(rig.source.arcs).isEmpty();
        assertThat(rig.destination.arcs).isEmpty();
        rig.assertSourceOwns();
    }

    @Test
    void shouldMigrateWithAPlaceAtEachEndAndGiveBothBack() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.tickets = new TicketPool(1);
            rig.destination.tickets = new TicketPool(1);

            assertThat(rig.migrate().result()).isEqualTo(MigrationReport.Result.COMPLETED);

            rig.assertDestinationOwns();
            assertThat(rig.source.tickets.open()).isZero();
            assertThat(rig.destination.tickets.open()).isZero();
        }
    }

    @Test
    void shouldFindThatNoPlaceIsFreeBeforeAnythingIsDisturbed() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.tickets = new TicketPool(0).refusing();
            rig.source.tickets = new TicketPool(1);

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
            assertThat(report.failure().orElseThrow().message()).contains("all places are taken");
            assertThat(report.findings()).extracting(Finding::code).containsExactly(Finding.Code.NO_FREE_SESSION);
            assertUntouched(rig);
            assertThat(rig.source.tickets.open()).isZero();
            assertThat(rig.destination.tickets.open()).isZero();
        }
    }

    @Test
    void shouldBeCancelledWhileItWaitsForAPlace() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.tickets = new TicketPool(0);
            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            MigrationRig.await("the wait", () -> rig.destination.tickets.open() == 1);

            assertThat(migration.cancel()).isTrue();

            assertThat(MigrationRig.report(migration).result()).isEqualTo(MigrationReport.Result.CANCELLED);
            assertUntouched(rig);
            assertThat(rig.destination.tickets.open()).isZero();
        }
    }

    @Test
    void shouldEndItsWaitWhenTheDriverLeaves() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.tickets = new TicketPool(0);
            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            MigrationRig.await("the wait", () -> rig.destination.tickets.open() == 1);

            rig.remove(rig.destination, MigrationRig.DESTINATION_SERVICE);

            assertThat(MigrationRig.report(migration).failure().orElseThrow().code())
                    .isEqualTo(FailureCode.PROVIDER_GONE);
            assertUntouched(rig);
        }
    }

    @Test
    void shouldNotWaitForEachOtherWhenAllEndsShareTheirPlaces() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            TicketPool shared = new TicketPool(2);
            List<Migration> migrations = new ArrayList<>();
            for (int pair = 0; pair < 40; pair++) {
                for (String host : List.of("host1", "host2")) {
                    ScriptedDriver driver = new ScriptedDriver(host + "/x" + pair, MigrationRig.ALL, MigrationRig.TEXT);
                    driver.tickets = shared;
                    rig.add(driver, 100 + pair + (host.equals("host1") ? 0 : 1000));
                }
            }
            for (int pair = 0; pair < 40; pair++) {
                migrations.add(rig.service.start(
                        MigrationRequest.of("host1/x" + pair, "host2/x" + pair), MigrationListener.NONE));
            }

            assertThat(migrations)
                    .extracting(migration -> MigrationRig.report(migration).result())
                    .containsOnly(MigrationReport.Result.COMPLETED);
            assertThat(shared.open()).isZero();
        }
    }

    @Test
    void shouldWaitForAPlaceBeforeTheFirstArcOfAStateChange() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.tickets = new TicketPool(0).refusing();

            assertThat(SaveAndRestoreTest.failureOf(
                                    () -> rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP_COPY))
                            .errno())
                    .contains(Errno.ENOSPC);

            assertThat(rig.source.arcs).isEmpty();
            assertThat(rig.source.tickets.open()).isZero();
            rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP); // needs no place
            assertThat(rig.source.tickets.open()).isZero();
        }
    }

    @Test
    void shouldGiveItsPlaceBackWhenAJobEnds() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.tickets = new TicketPool(1);

            rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP_COPY);
            assertThat(rig.source.tickets.open()).isZero();
            rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);
            assertThat(rig.source.tickets.open()).isZero();
        }
    }

    @Test
    void shouldFindWhenOneOwnerAllowsTooFewSessionsForBothEnds() {
        try (MigrationRig rig = new MigrationRig()) {
            for (int member = 1; member <= 2; member++) {
                var properties = MigrationRig.properties("host3/pf0/vf" + member, 20 + member);
                properties.put(MigrationDriver.OWNER, "host3/pf0");
                properties.put(MigrationDriver.OWNER_SESSIONS, 1);
                rig.service.addDriver(
                        new ScriptedDriver("host3/pf0/vf" + member, MigrationRig.ALL, MigrationRig.TEXT), properties);
            }

            assertThat(rig.service.check(MigrationRequest.of("host3/pf0/vf1", "host3/pf0/vf2")))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.TOO_FEW_SESSIONS);
            assertThat(rig.service.check(MigrationRequest.of("host3/pf0/vf1", MigrationRig.DESTINATION))).isEmpty();
        }
    }

    @Test
    void shouldCompareProfilesBeforeTheSourceIsDisturbed() {
        try (MigrationRig rig = new MigrationRig()) {
            List<Trait> three = List.of(Exact.of(Aspect.QUEUES, "number of queues", "3"));
            rig.source.profile = new DeviceProfile(three, three);
            List<Trait> five = List.of(Exact.of(Aspect.QUEUES, "number of queues", "5"));
            rig.destination.profile = new DeviceProfile(five, five);

            assertThat(rig.service.check(rig.request()))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.QUEUES_MISMATCH);
            MigrationReport report = rig.migrate();
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
            assertThat(report.failure().orElseThrow().message()).contains("its number of queues is 5");
            assertUntouched(rig);

            rig.source.state = DeviceState.STOP;
            assertThat(rig.migrate().failure().orElseThrow().message())
                    .contains("SOURCE_NOT_RUNNING: ", "QUEUES_MISMATCH: ");
        }
    }

    @Test
    void shouldFindADeviceThatCannotBeAsked() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.onProfile = () -> {
                throw new DeviceException(Errno.ETIMEDOUT, "no answer");
            };
            rig.destination.onProfile = () -> {
                throw new DeviceException(Errno.ENOSPC, "no object");
            };

            assertThat(rig.service.check(rig.request()))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.PROFILE_UNAVAILABLE, Finding.Code.NO_FREE_SESSION);
            assertThat(rig.migrate().failure().orElseThrow().message()).contains("no answer", "no object");
            assertUntouched(rig);
        }
    }

    @Test
    void shouldListADeviceThatCannotBeMigratedWithItsReason() {
        try (MigrationRig rig = new MigrationRig()) {
            var properties = MigrationRig.properties("host3/x", 13);
            properties.put(MigrationDriver.NOT_MIGRATABLE, "its owner allows no objects");
            ScriptedDriver driver =
                    new ScriptedDriver("host3/x", EnumSet.noneOf(MigrationFeature.class), MigrationRig.TEXT);
            driver.onState = () -> {
                throw new DeviceException(Errno.EOPNOTSUPP, "cannot be migrated");
            };
            rig.service.addDriver(driver, properties);

            assertThat(rig.service.device("host3/x").orElseThrow()).satisfies(device -> {
                assertThat(device.notMigratable()).contains("its owner allows no objects");
                assertThat(device.state()).isEmpty();
            });
            assertThat(rig.service.check(MigrationRequest.of(MigrationRig.SOURCE, "host3/x")))
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.code()).isEqualTo(Finding.Code.NOT_MIGRATABLE);
                        assertThat(finding.message()).isEqualTo("host3/x: its owner allows no objects");
                    });
            assertThat(SaveAndRestoreTest.failureOf(() -> rig.service.setState("host3/x", DeviceState.STOP)).code())
                    .isEqualTo(FailureCode.DEVICE_FAILED);
            rig.remove(driver, 13);
            assertThat(driver.resets).hasValue(0);
        }
    }
}
