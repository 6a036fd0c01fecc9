// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.Arc;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How many migrations leave one host, and how many go to one, at a time. */
class HostLimitsTest {

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHonourLimitsPerHostInOrder(boolean outgoing) {
        try (LiveRig rig = new LiveRig(3)) {
            rig.values.outgoing = outgoing ? 1 : 16;
            rig.values.incoming = outgoing ? 16 : 1;
            rig.service.modified(rig.values);
            CompletableFuture<Void> goOn = new CompletableFuture<>();
            rig.sources.get(0).device.once(Arc.RUNNING_TO_PRE_COPY, goOn::join);
            List<String> order = Collections.synchronizedList(new ArrayList<>());
            List<Migration> migrations = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                migrations.add(rig.service.start(
                        MigrationRequest.of("host1/vf" + i, "host2/vf" + i), event -> {
                            if (event instanceof MigrationEvent.PhaseStarted now
                                    && now.phase() == MigrationPhase.CHECK) {
                                order.add(event.migration());
                            }
                        }));
            }
            // It has its turn at once, and tells so when its thread runs.
            MigrationRig.await("the first one to begin", () -> order.contains("m1"));
            assertThat(migrations.get(2).progress().waiting()).isTrue();
            assertThat(migrations.get(1).cancel()).isTrue();
            assertThat(MigrationRig.report(migrations.get(1)).result())
                    .as("ends although the first one still runs")
                    .isEqualTo(Result.CANCELLED);
            assertThat(order).containsExactly("m1", "m2");
            goOn.complete(null);
            assertThat(MigrationRig.report(migrations.get(0)).result()).isEqualTo(Result.COMPLETED);
            assertThat(MigrationRig.report(migrations.get(2)).result()).isEqualTo(Result.COMPLETED);
            assertThat(order).containsExactly("m1", "m2", "m3");
        }
    }
}
