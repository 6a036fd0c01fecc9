// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.DeviceMachine;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The way of a migration from SETUP to COMMIT. Any failure leaves both ends where they are, for {@link Rollback}.
 * Confined to the thread of the migration.
 */
final class ForwardSteps {

    /** How often changed data are read while the device runs, before what is left has to wait for the switchover. */
    private static final int MAX_DIRTY_READS = 16;

    /** How often a running device may give nothing although it told of initial data. */
    private static final int MAX_EMPTY_READS = 16;

    private final Ends ends;
    private final DeviceMachine source;
    private final DeviceMachine destination;
    private final Timeline timeline;
    private final StopSignal signal;
    private final ArcWatch watch;
    private final Pump pump;

    private Optional<MemoryCopy> memory = Optional.empty();
    private Optional<ByteBuffer> deviceConfig = Optional.empty();
    private ByteSink loading;

    ForwardSteps(Ends ends, Timeline timeline, StopSignal signal, int chunkBytes) {
        this.ends = ends;
        this.source = ends.source().machine();
        this.destination = ends.destination().machine();
        this.timeline = timeline;
        this.signal = signal;
        this.watch = Ends.watch(timeline, signal);
        this.pump = new Pump(chunkBytes, signal, timeline::countState);
    }

    /** Goes the whole way; when this returns, the destination owns the device. */
    void run(boolean preCopy) throws MigrationException {
        setUp();
        if (preCopy && ends.source().features().contains(MigrationFeature.PRE_COPY)) {
            preCopy();
        }
        switchOver();
        load();
        makeReady();
        commit();
    }

    private void setUp() throws MigrationException {
        timeline.enter(MigrationPhase.SETUP);
        signal.check();
        source.sync();
        destination.sync();
        // Whatever can be prepared is prepared here, while the guest still runs.
        if (ends.sourceGuest().isPresent() && ends.destinationGuest().isPresent()) {
            memory = Optional.of(new MemoryCopy(
                    ends.sourceGuest().get(), ends.destinationGuest().get(), signal, timeline::countMemory));
        }
        ends.touchDestination();
        destination.resetIfReleased();
        destination.goTo(DeviceState.RESUMING, watch);
        loading = SessionBytes.resuming(ends.destination());
    }

    private void preCopy() throws MigrationException {
        timeline.enter(MigrationPhase.PRE_COPY);
        ends.touchSource();
        source.goTo(DeviceState.PRE_COPY, watch);
        ByteSource saving = SessionBytes.running(ends.source());
        int dirtyReads = 0;
        int emptyReads = 0;
        PrecopyInfo left = SessionBytes.precopyInfo(ends.source());
        while (left.totalBytes() > 0 && dirtyReads < MAX_DIRTY_READS && emptyReads < MAX_EMPTY_READS) {
            if (left.initialBytes() == 0) {
                dirtyReads++;
            }
            emptyReads = pump.once(saving, loading) == 0 ? emptyReads + 1 : 0;
            left = SessionBytes.precopyInfo(ends.source());
        }
        timeline.tellProgress();
    }

    private void switchOver() throws MigrationException {
        timeline.enter(MigrationPhase.SWITCHOVER);
        signal.check();
        ends.touchSource();
        timeline.downtimeBegins();
        ends.pauseGuest();
        source.goTo(DeviceState.STOP_COPY, watch);
        pump.toEnd(SessionBytes.stopped(ends.source()), loading);
        if (memory.isPresent()) {
            memory.get().run();
        }
        if (ends.sourceGuest().isPresent()) {
            deviceConfig = Optional.of(ends.sourceGuest().get().saveDeviceConfig(ends.source().id()));
        }
        timeline.tellProgress();
    }

    private void load() throws MigrationException {
        timeline.enter(MigrationPhase.LOAD);
        signal.check();
        if (ends.destinationGuest().isPresent() && deviceConfig.isPresent()) {
            ends.destinationGuest().get().loadDeviceConfig(ends.destination().id(), deviceConfig.get());
        }
        destination.goTo(DeviceState.STOP, watch);
    }

    private void makeReady() throws MigrationException {
        timeline.enter(MigrationPhase.READY);
        if (ends.destination().features().contains(MigrationFeature.P2P)) {
            ends.letDestinationAct();
            destination.goTo(DeviceState.RUNNING_P2P, watch);
        }
    }

    private void commit() throws MigrationException {
        timeline.enter(MigrationPhase.COMMIT);
        source.requireUnmoved();
        destination.requireUnmoved();
        signal.close();
        source.release();
    }
}
