// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** A process that ends behind any arc, without a chance to put anything back, and the next one on the same host. */
class KilledProcessTest {
    private static final String VF = "0000:3b:00.2";
    private static final List<Arc> TO_STOP = List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
    /** How each state is reached from RUNNING. */
    private static final Map<DeviceState, List<Arc>> WAYS = Map.of(
            DeviceState.RUNNING, List.of(),
            DeviceState.RUNNING_P2P, List.of(Arc.RUNNING_TO_RUNNING_P2P),
            DeviceState.STOP, TO_STOP,
            DeviceState.STOP_COPY, List.of(TO_STOP.get(0), TO_STOP.get(1), Arc.STOP_TO_STOP_COPY),
            DeviceState.RESUMING, List.of(TO_STOP.get(0), TO_STOP.get(1), Arc.STOP_TO_RESUMING),
            DeviceState.PRE_COPY, List.of(Arc.RUNNING_TO_PRE_COPY),
            DeviceState.PRE_COPY_P2P, List.of(Arc.RUNNING_TO_PRE_COPY, Arc.PRE_COPY_TO_PRE_COPY_P2P));

    @TempDir
    private Path folder;

    private final Map<String, MigrationDriver> registered = new ConcurrentHashMap<>();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private FakeHost host;
    private VfioBackend backend;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        host.pci(VF, "virtio_vfio_pci", "12");
        log.start();
        logger().addAppender(log);
    }

    private static Logger logger() {
        return (Logger) LoggerFactory.getLogger(DriverFactory.class);
    }

    private MigrationDriver start() {
        backend = new VfioBackend(folder, () -> host.kernel, (driver, memory, properties) -> {
            registered.put(VF, driver);
            return () -> registered.remove(VF, driver);
        }, outcome -> () -> {}, BackendFixture.PATIENCE_MILLIS, BackendFixture.LONG);
        backend.modified(Configured.with(Map.of("devices", new String[] {VF})), Map.of());
        return registered.get(VF);
    }

    @AfterEach
    void end() {
        logger().detachAppender(log);
        backend.deactivate();
        assertThat(host.kernel.openFiles()).isZero();
    }

    /** Every arc of a device with all features, but the one that needs a state that was loaded. */
    static Stream<Arc> arcs() {
        Set<Arc> direct = Set.of(Arc.RUNNING_TO_STOP, Arc.STOP_TO_RUNNING, Arc.PRE_COPY_TO_STOP_COPY);
        Set<Arc> arcs = EnumSet.allOf(Arc.class);
        arcs.removeAll(direct);
        arcs.remove(Arc.RESUMING_TO_STOP);
        return arcs.stream();
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldFindTheStateSaySoAndResetBehindAnyArc(Arc arc) throws Exception {
        DriverFactory.Driven killed = new DriverFactory(host.kernel, folder).open(
                host.found(VF), VF, BackendSettings.none().access(), List.of(), () -> 1_000);
        for (Arc before : WAYS.get(arc.from())) {
            step(killed.driver(), before);
        }
        step(killed.driver(), arc);
        host.kernel.closeAll();
        log.list.clear();

        MigrationDriver driver = start();

        assertThat(driver.state()).isEqualTo(arc.to());
        assertThat(log.list.stream()
                        .filter(event -> event.getLevel() == Level.WARN)
                        .map(ILoggingEvent::getFormattedMessage)
                        .toList())
                .isEqualTo(arc.to() == DeviceState.RUNNING ? List.of() : List.of(
                        "host9/" + VF + " is in " + arc.to() + ", left there by its previous user; "
                                + "reset it or take it to RUNNING before migrating it"));
        driver.reset();
        for (Arc again : WAYS.get(DeviceState.STOP_COPY)) {
            step(driver, again);
        }
        assertThat(driver.state()).isEqualTo(DeviceState.STOP_COPY);
    }

    /** With data on their way, where there are any. */
    private static void step(MigrationDriver driver, Arc arc) throws Exception {
        if (driver.step(arc).orElse(null) instanceof SavingSession saving) {
            saving.read(ByteBuffer.allocate(3));
        }
    }

    @Test
    void shouldFindAndResetADeviceInError() throws Exception {
        host.devices.get(VF).state = 0;

        MigrationDriver driver = start();

        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
        driver.reset();
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }
}
