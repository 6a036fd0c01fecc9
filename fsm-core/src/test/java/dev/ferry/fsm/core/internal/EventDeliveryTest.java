// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.ferry.fsm.Arc;
import dev.ferry.migration.Decision;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventAdmin;

class EventDeliveryTest {

    private static final MigrationEvent PROGRESS = new MigrationEvent.Progress(
            "m1",
            new MigrationProgress(
                    MigrationPhase.PRE_COPY,
                    false,
                    7,
                    MigrationProgress.Transfer.NONE,
                    MigrationProgress.Transfer.NONE,
                    List.of(),
                    1,
                    Duration.ZERO,
                    Optional.empty(),
                    Optional.empty()));

    private final List<Event> posted = new ArrayList<>();
    private final EventAdmin eventAdmin = new EventAdmin() {
        @Override
        public void postEvent(Event event) {
            posted.add(event);
        }

        @Override
        public void sendEvent(Event event) {
            throw new AssertionError("would wait for handlers on the thread of the migration");
        }
    };

    @Test
    void shouldPostPhasesStatesAndTheEnd() {
        EventDelivery delivery = new EventDelivery(MigrationListener.NONE, () -> eventAdmin);

        delivery.onEvent(new MigrationEvent.PhaseStarted("m1", MigrationPhase.LOAD));
        delivery.onEvent(new MigrationEvent.PhaseEnded("m1", MigrationPhase.LOAD, Duration.ZERO));
        delivery.onEvent(new MigrationEvent.ArcStarting("m1", "host1/vf1", Arc.RESUMING_TO_STOP));
        delivery.onEvent(new MigrationEvent.ArcTaken("m1", "host1/vf1", Arc.RESUMING_TO_STOP));
        delivery.onEvent(new MigrationEvent.ArcFailed(
                "m1", "host1/vf1", Arc.RESUMING_TO_STOP, Failure.of(FailureCode.DEVICE_FAILED, "It is broken.")));
        delivery.onEvent(new MigrationEvent.Decided(
                "m1", new Decision(Duration.ZERO, Decision.Kind.RAMP, "More is allowed.")));
        delivery.onEvent(PROGRESS);
        delivery.onEvent(ended(Optional.of(Failure.of(FailureCode.TIMEOUT, "Too late."))));
        delivery.onEvent(ended(Optional.empty()));

        assertThat(posted)
                .extracting(Event::getTopic)
                .containsExactly(
                        "dev/ferry/migration/PHASE",
                        "dev/ferry/migration/PHASE_ENDED",
                        "dev/ferry/migration/STATE_STARTING",
                        "dev/ferry/migration/STATE",
                        "dev/ferry/migration/STATE_FAILED",
                        "dev/ferry/migration/DECISION",
                        "dev/ferry/migration/ENDED",
                        "dev/ferry/migration/ENDED");
        assertThat(posted).allMatch(event -> event.getProperty("migration").equals("m1"));
        assertThat(posted.get(0).getProperty("phase")).isEqualTo("LOAD");
        assertThat(posted.get(1).getProperty("phase")).isEqualTo("LOAD");
        for (Event state : posted.subList(2, 5)) {
            assertThat(state.getProperty("device")).isEqualTo("host1/vf1");
            assertThat(state.getProperty("state")).isEqualTo("STOP");
        }
        assertThat(posted.get(4).getProperty("code")).isEqualTo("DEVICE_FAILED");
        assertThat(posted.get(4).getProperty("message")).isEqualTo("It is broken.");
        assertThat(posted.get(5).getProperty("decision")).isEqualTo("RAMP");
        assertThat(posted.get(5).getProperty("message")).isEqualTo("More is allowed.");
        assertThat(posted.get(6).getProperty("result")).isEqualTo("FAILED");
        assertThat(posted.get(6).getProperty("code")).isEqualTo("TIMEOUT");
        assertThat(posted.get(7).getProperty("result")).isEqualTo("COMPLETED");
        assertThat(posted.get(7).containsProperty("code")).isFalse();
    }

    @Test
    void shouldGoOnWithoutEventAdminAndWithBrokenListeners() {
        List<MigrationEvent> seen = new ArrayList<>();
        MigrationEvent event = PROGRESS;
        new EventDelivery(seen::add, () -> null).onEvent(event);
        assertThat(seen).containsExactly(event);

        EventDelivery broken = new EventDelivery(
                each -> {
                    throw new NoClassDefFoundError("its bundle is gone");
                },
                () -> eventAdmin);
        assertThatCode(() -> broken.onEvent(new MigrationEvent.PhaseStarted("m1", MigrationPhase.LOAD)))
                .doesNotThrowAnyException();
        assertThat(posted).hasSize(1);
    }

    @Test
    void shouldGoOnWhenEventAdminGoes() {
        List<MigrationEvent> seen = new ArrayList<>();
        EventDelivery delivery = new EventDelivery(seen::add, () -> {
            throw new IllegalStateException("its bundle is stopped");
        });
        assertThatCode(() -> delivery.onEvent(PROGRESS)).doesNotThrowAnyException();
        assertThat(seen).containsExactly(PROGRESS);
    }

    private static MigrationEvent ended(Optional<Failure> failure) {
        return new MigrationEvent.Ended(
                "m1",
                new MigrationReport(
                        "m1",
                        failure.isPresent() ? MigrationReport.Result.FAILED : MigrationReport.Result.COMPLETED,
                        false,
                        Instant.EPOCH,
                        Duration.ZERO,
                        Duration.ZERO,
                        List.of(),
                        List.of(),
                        List.of(new MigrationReport.Device(
                                "host1/vf1", "host2/vf1", Optional.empty(), Optional.empty(), 0, 0, List.of())),
                        MigrationReport.Memory.NONE,
                        List.of(),
                        0,
                        List.of(),
                        failure));
    }
}
