// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import static dev.ferry.fsm.DeviceState.RESUMING;
import static dev.ferry.fsm.DeviceState.RUNNING;
import static dev.ferry.fsm.DeviceState.STOP;
import static dev.ferry.fsm.DeviceState.STOP_COPY;

import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What every {@link MigrationDriver} does, as checks that run one after the other, each on a subject of its own.
 *
 * <p>With JUnit, which also brings the time limit that a driver which hangs needs:
 *
 * <pre>{@code
 * @TestFactory
 * Stream<DynamicTest> contract() throws Exception {
 *     return new DriverContract(MySubject::new).checks().stream()
 *             .map(check -> DynamicTest.dynamicTest(check.name(),
 *                     () -> assertTimeoutPreemptively(Duration.ofMinutes(1), check::run)));
 * }
 * }</pre>
 */
public final class DriverContract {

    /** Makes the devices of one check. */
    @FunctionalInterface
    public interface Subjects {
        /** Two fresh devices. */
        DriverSubject open() throws Exception;
    }

    private final Subjects subjects;
    private final List<Check> checks = new ArrayList<>();

    /** A contract for the devices that a vendor makes. */
    public DriverContract(Subjects subjects) {
        this.subjects = subjects;
    }

    /** All checks that the device's features and its dirty tracker make possible; opens one subject to know them. */
    public List<Check> checks() throws Exception {
        Set<MigrationFeature> features;
        boolean tracks;
        try (DriverSubject subject = subjects.open()) {
            features = Set.copyOf(subject.source().features());
            tracks = subject.source().dirtyTracker().isPresent();
        }
        checks.clear();
        beginning();
        Walk.arcs(features).forEach(this::arc);
        for (DeviceState state : DeviceState.values()) {
            if (state.isSupportedBy(features)) {
                inState(state);
            }
        }
        SessionContract sessions = new SessionContract(this::add);
        sessions.sessions();
        if (features.contains(MigrationFeature.PRE_COPY)) {
            sessions.preCopy();
        }
        sessions.loading();
        if (tracks) {
            new TrackerContract((name, body) -> add(name, subject -> body.run(subject.source()))).checks();
        }
        return List.copyOf(checks);
    }

    private void add(String name, SessionContract.Body body) {
        checks.add(new Check(name, () -> {
            try (DriverSubject subject = subjects.open()) {
                body.run(subject);
            }
        }));
    }

    private void beginning() {
        add("a device begins in RUNNING and offers STOP_COPY", subject -> {
            Demand.state(subject.source(), RUNNING);
            Demand.that(subject.source().features().contains(MigrationFeature.STOP_COPY), "STOP_COPY is mandatory");
            Set<MigrationFeature> features = Set.copyOf(subject.source().features());
            new Walk(subject.source()).to(STOP_COPY);
            Demand.that(subject.source().features().equals(features), "features never change");
        });
        add("the size in STOP_COPY is told in any state, and is not negative", subject -> {
            MigrationDriver driver = subject.source();
            for (DeviceState state : DeviceState.values()) {
                if (state.isSupportedBy(driver.features())) {
                    driver.reset();
                    new Walk(driver).to(state);
                    Demand.that(driver.stopCopySize() >= 0, "in %s it is %d", state, driver.stopCopySize());
                    Demand.state(driver, state);
                }
            }
        });
        add("asking for a profile changes nothing", subject -> {
            MigrationDriver driver = subject.source();
            Demand.that(driver.profile() != null, "a profile is null instead of empty");
            Demand.state(driver, RUNNING);
            new Walk(driver).to(STOP);
            driver.profile();
            Demand.state(driver, STOP);
        });
    }

    private void arc(Arc arc) {
        add(arc + " leads to " + arc.to(), subject -> {
            Walk walk = new Walk(subject.source());
            if (arc == Arc.RESUMING_TO_STOP) {
                byte[] state = new Walk(subject.destination()).to(STOP_COPY).readAll();
                walk.to(RESUMING).writeAll(state, Walk.PIECE_BYTES);
            }
            walk.to(arc.from()).take(arc);
        });
    }

    private void inState(DeviceState state) {
        add("in " + state + " an arc that begins elsewhere, or does not exist, is refused and changes nothing",
                subject -> {
            Walk walk = new Walk(subject.source()).to(state);
            List<Arc> possible = Walk.arcs(walk.driver().features());
            for (Arc arc : Arc.values()) {
                if (arc.from() != state || !possible.contains(arc)) {
                    Demand.refused(
                            arc + " in " + state, () -> walk.driver().step(arc), Errno.EINVAL, Errno.EOPNOTSUPP);
                    Demand.state(walk.driver(), state);
                }
            }
        });
        add("a reset in " + state + " leads to RUNNING, and the device can be used", subject -> {
            Walk walk = new Walk(subject.source()).to(state);
            walk.driver().reset();
            Demand.state(walk.driver(), RUNNING);
            if (state.isSaving()) {
                Demand.dead(walk.saving());
            } else if (state == RESUMING) {
                Demand.dead(walk.resuming());
            }
            walk.to(STOP_COPY).readAll();
        });
    }
}
