// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What callers hold of a migration, also long after its end. */
class MigrationHandleTest {

    private final List<WeakReference<Object>> used = new ArrayList<>();

    /** A migration that has ended, whose devices have left since. */
    private Migration ended(MigrationServiceComponent service) {
        ScriptedDriver source = new ScriptedDriver(MigrationRig.SOURCE, MigrationRig.ALL, MigrationRig.TEXT);
        ScriptedDriver destination = new ScriptedDriver(MigrationRig.DESTINATION, MigrationRig.ALL, "text:empty shell");
        service.addDriver(source, MigrationRig.properties(source.id, MigrationRig.SOURCE_SERVICE));
        service.addDriver(destination, MigrationRig.properties(destination.id, MigrationRig.DESTINATION_SERVICE));
        List<MigrationEvent> events = new ArrayList<>();
        MigrationListener listener = events::add;
        Migration migration = service.start(MigrationRequest.of(source.id, destination.id), listener);
        assertThat(MigrationRig.report(migration).result()).isEqualTo(Result.COMPLETED);
        service.removeDriver(source, MigrationRig.properties(source.id, MigrationRig.SOURCE_SERVICE));
        service.removeDriver(destination, MigrationRig.properties(destination.id, MigrationRig.DESTINATION_SERVICE));
        List.of(source, destination, listener).forEach(each -> used.add(new WeakReference<>(each)));
        return migration;
    }

    @Test
    void shouldHoldNothingThatTheMigrationWorkedWithAfterItsEnd() {
        MigrationServiceComponent service =
                new MigrationServiceComponent(new MigrationRig.Values(), new FastClock());
        try {
            Migration migration = ended(service);

            MigrationRig.await("the drivers and the listener to be garbage", () -> {
                System.gc();
                return used.stream().allMatch(each -> each.refersTo(null));
            });
            assertThat(migration.phase()).isEqualTo(MigrationPhase.RELEASE);
            assertThat(migration.progress().percent()).isEqualTo(100);
            assertThat(migration.request().source()).isEqualTo(MigrationRig.SOURCE);
            assertThat(MigrationRig.report(migration).migration()).isEqualTo(migration.id());
            assertThat(migration.cancel()).isFalse();
        } finally {
            service.deactivate();
        }
    }
}
