// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.ScriptedDriver;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.device.TimeSource;
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
import org.junit.jupiter.api.Test;

class RollbackTest {

    private final DeviceRegistry registry = new DeviceRegistry(new FeatureTransitionTable());
    private final List<ScriptedDriver> sources = new ArrayList<>();
    private final List<ScriptedDriver> destinations = new ArrayList<>();

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
        return new Rollback(ends, new Timeline("m1", request, listener, signal, TimeSource.SYSTEM)).run();
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
    void shouldBeInOrderWhenAllKeepWhatTheyHold() throws Exception {
        assertThat(rollBack(MigrationListener.NONE))
                .isEqualTo(new Recovery.Outcome(Recovery.Rung.IN_ORDER, List.of()));
        assertThat(sources).allMatch(source -> source.state == DeviceState.RUNNING && !source.text.isEmpty());
    }
}
