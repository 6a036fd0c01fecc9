// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every single call of a migration goes wrong once, in every way, in every kind of migration. */
class FaultSweepTest {

    private static final int DEVICES = 2;
    private static final long SEED = 1;

    /** Kinds of migration whose calls differ. */
    enum Kind {
        PRE_COPY,
        MAPPED_MEMORY,
        ONE_DEVICE_UNTRACKED,
        STOP_COPY_ALONE,
        WITHOUT_PRE_COPY,
        DRY_RUN;

        LiveRig rig() {
            Set<MigrationFeature> features = this == STOP_COPY_ALONE
                    ? EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P)
                    : MigrationRig.ALL;
            LiveRig rig = new LiveRig(DEVICES, features, LiveRig.MEMORY);
            rig.sourceGuest.mapped = this == MAPPED_MEMORY;
            rig.sources.get(1).tracked = this != ONE_DEVICE_UNTRACKED;
            rig.sources.get(0).announces = true;
            return rig;
        }

        MigrationRequest request(LiveRig rig) {
            return rig.request().withPreCopy(this != WITHOUT_PRE_COPY).withDryRun(this == DRY_RUN);
        }
    }

    static Stream<Arguments> cases() {
        return Stream.of(Kind.values())
                .flatMap(kind -> Stream.of(FaultyMigration.Fault.values()).map(fault -> Arguments.of(kind, fault)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldLeaveExactlyOneSideRunningWhicheverCallItIs(Kind kind, FaultyMigration.Fault fault)
            throws Exception {
        int all = Integer.MAX_VALUE;
        for (int chosen = 0; chosen < all; chosen++) {
            try (LiveRig rig = kind.rig()) {
                List<TicketPool> objects = rig.limitSessions(DEVICES);
                int made = FaultyMigration.run(rig, kind.request(rig), fault, chosen, new Random(SEED));
                all = made <= chosen ? made : all;
                assertThat(objects).extracting(TicketPool::open).as("objects left").containsOnly(0);
                requireUsableAgain(rig);
            } catch (AssertionError e) {
                throw new AssertionError("call " + chosen, e);
            }
        }
        assertThat(all).as("calls of a migration in which nothing goes wrong").isGreaterThan(60);
    }

    /**
     * Where the source runs, the same migration succeeds when nothing goes wrong any more; where a destination could
     * not be reset, somebody has to do that first, as the report says.
     */
    private static void requireUsableAgain(LiveRig rig) throws MigrationException {
        for (LiveDriver destination : rig.destinations) {
            if (destination.device.state == DeviceState.RESUMING) {
                rig.service.reset(destination.device.id);
            }
        }
        if (rig.sources.stream().allMatch(source -> source.device.state == DeviceState.RUNNING)) {
            assertThat(rig.migrate().result()).isEqualTo(Result.COMPLETED);
            assertThat(rig.destinationGuest.memory).isEqualTo(rig.sourceGuest.memory);
        }
    }

    @Test
    void shouldSweepEveryCallThatThereIs() {
        Set<String> seen = new TreeSet<>();
        for (Kind kind : Kind.values()) {
            seen.addAll(calls(kind));
        }
        assertThat(seen)
                .contains(
                        "state", "stopCopySize", "profile", "requestSession", "ticket await", "dirtyTracker",
                        "read", "write", "close", "precopyInfo", "announcesReinitialization",
                        "tracker capabilities", "tracker start", "tracker report", "tracker stop",
                        "pause", "resume", "saveDeviceConfig", "loadDeviceConfig",
                        "ranges", "memory read", "memory write", "view",
                        "RUNNING_TO_PRE_COPY", "PRE_COPY_TO_PRE_COPY_P2P", "PRE_COPY_P2P_TO_STOP_COPY",
                        "RUNNING_TO_RUNNING_P2P", "RUNNING_P2P_TO_STOP", "STOP_TO_STOP_COPY", "STOP_COPY_TO_STOP",
                        "STOP_TO_RESUMING", "RESUMING_TO_STOP", "STOP_TO_RUNNING_P2P", "RUNNING_P2P_TO_RUNNING");
    }

    /** The calls of a migration in which nothing goes wrong. */
    private static List<String> calls(Kind kind) {
        List<String> calls = Collections.synchronizedList(new ArrayList<>());
        try (LiveRig rig = kind.rig()) {
            rig.limitSessions(DEVICES);
            rig.intercept((device, call) -> calls.add(call));
            rig.migrate(kind.request(rig));
        }
        return calls;
    }
}
