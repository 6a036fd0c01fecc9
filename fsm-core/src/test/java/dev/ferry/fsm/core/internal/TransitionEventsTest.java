// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport.Result;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is told of each transition, and when. */
class TransitionEventsTest {

    private static final Set<String> ARCS = Stream.of(Arc.values()).map(Arc::name).collect(Collectors.toSet());

    /** Events, and the arcs that drivers are asked for, in the order in which they come. */
    private final List<String> all = Collections.synchronizedList(new ArrayList<>());

    private final MigrationListener listener = event -> {
        if (event instanceof MigrationEvent.ArcStarting starting) {
            all.add(starting.device() + " before " + starting.arc());
        } else if (event instanceof MigrationEvent.ArcTaken taken) {
            all.add(taken.device() + " after " + taken.arc());
        } else if (event instanceof MigrationEvent.ArcFailed failed) {
            all.add(failed.device() + " failed " + failed.arc() + ": " + message(failed.failure()));
        }
    };

    private static String message(Failure failure) {
        return failure.device().orElseThrow() + (failure.message().contains("scripted") ? " scripted" : "");
    }

    private void watch(LiveRig rig) {
        rig.intercept((device, call) -> {
            if (ARCS.contains(call)) {
                all.add(device + " in " + call);
            }
        });
    }

    @Test
    void shouldTellBeforeAndAfterEveryTransition() {
        try (LiveRig rig = new LiveRig(2)) {
            watch(rig);
            List<MigrationEvent> events = new ArrayList<>();
            MigrationRig.report(rig.service.start(rig.request(), event -> {
                events.add(event);
                listener.onEvent(event);
            }));

            for (LiveDriver driver : rig.drivers()) {
                String device = driver.device.id;
                List<String> expected = driver.device.arcs.stream()
                        .flatMap(arc -> Stream.of(
                                device + " before " + arc, device + " in " + arc, device + " after " + arc))
                        .toList();
                assertThat(all).filteredOn(each -> each.startsWith(device)).containsExactlyElementsOf(expected);
            }
            assertThat(events.stream().filter(MigrationEvent.PhaseStarted.class::isInstance).count())
                    .isEqualTo(events.stream().filter(MigrationEvent.PhaseEnded.class::isInstance).count());
        }
    }

    @Test
    void shouldTellOfATransitionThatFails() {
        try (LiveRig rig = new LiveRig(1)) {
            watch(rig);
            rig.destinations.get(0).device.once(Arc.RESUMING_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            assertThat(MigrationRig.report(rig.service.start(rig.request(), listener)).result())
                    .isEqualTo(Result.FAILED);

            assertThat(all).containsSubsequence(
                    "host2/vf0 before RESUMING_TO_STOP",
                    "host2/vf0 in RESUMING_TO_STOP",
                    "host2/vf0 failed RESUMING_TO_STOP: host2/vf0 scripted",
                    "host1/vf0 before STOP_COPY_TO_STOP",
                    "host1/vf0 in STOP_COPY_TO_STOP",
                    "host1/vf0 after STOP_COPY_TO_STOP");
        }
    }

    @Test
    void shouldTellWhatCameOfEachTransitionAlsoWhenAnotherOneFailed() {
        try (LiveRig rig = new LiveRig(16)) {
            rig.values.threads = 1;
            rig.service.modified(rig.values);
            watch(rig);
            rig.destinations.get(0).device.once(Arc.RESUMING_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            MigrationRig.report(rig.service.start(rig.request(), listener));

            for (LiveDriver destination : rig.destinations) {
                String device = destination.device.id;
                boolean tried = !device.equals("host2/vf0") && all.contains(device + " in RESUMING_TO_STOP");
                assertThat(all).containsSubsequence(
                        device + " before RESUMING_TO_STOP",
                        tried
                                ? device + " after RESUMING_TO_STOP"
                                : device + " failed RESUMING_TO_STOP: host2/vf0 scripted");
            }
        }
    }

    @Test
    void shouldTellOfATransitionThatFailsOnTheWayBack() {
        try (LiveRig rig = new LiveRig(2)) {
            watch(rig);
            rig.destinations.get(0).device.once(Arc.RESUMING_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });
            rig.sources.get(1).device.once(Arc.STOP_COPY_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            MigrationRig.report(rig.service.start(rig.request(), listener));

            assertThat(all).containsSubsequence(
                    "host1/vf1 failed STOP_COPY_TO_STOP: host1/vf1 scripted",
                    "host1/vf1 before STOP_COPY_TO_STOP",
                    "host1/vf1 after STOP_COPY_TO_STOP",
                    "host1/vf1 after RUNNING_P2P_TO_RUNNING");
            rig.assertSourceOwns();
        }
    }
}
