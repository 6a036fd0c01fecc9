// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.ScriptedDriver;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.memory.Buffers;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.fsm.core.internal.pace.TokenBucket;
import dev.ferry.fsm.core.internal.table.FeatureTransitionTable;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RollbackTest {

    private final DeviceRegistry registry = new DeviceRegistry(new FeatureTransitionTable());
    private final List<ScriptedDriver> sources = new ArrayList<>();
    private final List<ScriptedDriver> destinations = new ArrayList<>();
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private Executor threads = pool;

    @AfterEach
    void endThreads() {
        pool.shutdownNow();
    }

    private Device add(List<ScriptedDriver> drivers, String id) throws MigrationException {
        ScriptedDriver driver = new ScriptedDriver(id, EnumSet.allOf(MigrationFeature.class), "text:" + id);
        drivers.add(driver);
        long service = sources.size() * 100L + destinations.size();
        registry.add(
                service,
                driver,
                Map.of(
                        MigrationDriver.DEVICE_ID, id,
                        MigrationDriver.DEVICE_TYPE, "scripted",
                        MigrationDriver.BACKEND, "memory",
                        MigrationDriver.HOST, "host"));
        Device device = registry.require(id);
        device.machine().goTo(DeviceState.STOP, ArcWatch.NONE);
        return device;
    }

    private Recovery.Outcome rollBack(MigrationListener listener) throws MigrationException {
        List<DeviceEnds> devices = new ArrayList<>();
        List<DevicePair> pairs = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Device source = add(sources, "source" + i);
            devices.add(new DeviceEnds(source, add(destinations, "destination" + i), TimeSource.SYSTEM));
            pairs.add(new DevicePair("source" + i, "destination" + i));
        }
        MigrationRequest request = MigrationRequest.of(pairs);
        Ends ends = new Ends(devices, request);
        ends.touchSources();
        ends.touchDestinations();
        StopSignal signal = StopSignal.withoutLimit();
        Timeline timeline = new Timeline("m1", request, listener, signal, TimeSource.SYSTEM);
        Crew crew = new Crew(threads, sources.size(), signal, () -> {});
        Kit kit = new Kit(
                request,
                null,
                signal,
                timeline,
                crew,
                new Passes(crew, timeline, signal),
                new TokenBucket(request.bandwidth(), TimeSource.SYSTEM),
                new Buffers(),
                TimeSource.SYSTEM,
                new StepHistory());
        return new Rollback(ends, kit).run();
    }

    @Test
    void shouldBringBackTheOtherDevicesWhateverHappensOnOne() throws Exception {
        Recovery.Outcome outcome = rollBack(event -> {
            if (event instanceof MigrationEvent.ArcStarting starting && starting.device().equals("source0")) {
                throw new StackOverflowError("in the middle of it");
            }
        });

        assertThat(outcome.rung()).isEqualTo(Recovery.Rung.RESET);
        assertThat(outcome.failures())
                .extracting(Failure::code)
                .containsExactly(FailureCode.INTERNAL, FailureCode.DEVICE_FAILED);
        assertThat(outcome.failures()).allMatch(failure -> failure.device().orElseThrow().equals("source0"));
        assertThat(sources).allMatch(source -> source.state == DeviceState.RUNNING);
        assertThat(sources).extracting(source -> source.text)
                .containsExactly(ScriptedDriver.FRESH, "text:source1", "text:source2");
        assertThat(destinations).allMatch(destination -> destination.text.equals(ScriptedDriver.FRESH));
    }

    @Test
    void shouldBringBackOneAfterTheOtherWhenTheMachineLetsNoThreadsHelp() throws Exception {
        threads = task -> {
            throw new OutOfMemoryError("unable to create native thread");
        };
        assertThat(rollBack(MigrationListener.NONE))
                .isEqualTo(new Recovery.Outcome(Recovery.Rung.IN_ORDER, List.of()));
        assertThat(sources).allMatch(source -> source.state == DeviceState.RUNNING);
    }

    @Test
    void shouldKeepWhatADeviceHoldsThatOnlyFailsWhileOthersAreBroughtBackToo() throws Exception {
        AtomicBoolean first = new AtomicBoolean(true);
        Recovery.Outcome outcome = rollBack(event -> {
            if (event instanceof MigrationEvent.ArcStarting && first.getAndSet(false)) {
                sources.get(1).once(Arc.STOP_TO_RUNNING_P2P, () -> {
                    throw new DeviceException(Errno.EBUSY, "too much at a time");
                });
            }
        });
        assertThat(outcome).isEqualTo(new Recovery.Outcome(Recovery.Rung.IN_ORDER, List.of()));
        assertThat(sources).extracting(source -> source.text)
                .containsExactly("text:source0", "text:source1", "text:source2");
    }

    @Test
    void shouldBeInOrderWhenAllKeepWhatTheyHold() throws Exception {
        assertThat(rollBack(MigrationListener.NONE))
                .isEqualTo(new Recovery.Outcome(Recovery.Rung.IN_ORDER, List.of()));
        assertThat(sources).allMatch(source -> source.state == DeviceState.RUNNING && !source.text.isEmpty());
    }
}
