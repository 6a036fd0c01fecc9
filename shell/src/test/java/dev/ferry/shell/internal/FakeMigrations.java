// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import dev.ferry.migration.StateChange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A migration service that answers what a test tells it to. */
final class FakeMigrations implements MigrationService {

    static final String DEVICE = "host1/pf0/vf1";

    /** What save writes, and how a migration ends. */
    final byte[] state = {1, 2, 3, 4, 5};
    Optional<Failure> failure = Optional.empty();
    Throwable cause;
    Optional<DeviceState> deviceState = Optional.of(DeviceState.RUNNING);
    final List<Byte> restored = new ArrayList<>();
    MigrationRequest started;
    boolean stopping;
    List<Finding> findings = List.of();
    /** Under way, and ended. */
    final List<Migration> running = new ArrayList<>();
    final List<MigrationReport> ended = new ArrayList<>();
    final List<DeviceDescription> more = new ArrayList<>();
    /** Happens once a state was written. */
    Runnable onSaved = () -> {};

    private void failIfTold() throws MigrationException {
        if (failure.isPresent()) {
            throw new MigrationException(failure.get(), cause);
        }
    }

    @Override
    public List<DeviceDescription> devices() {
        List<DeviceDescription> devices = new ArrayList<>(List.of(
                new DeviceDescription(
                        DEVICE, "virtio-net", "host1", Optional.of("host1/pf0"), OptionalInt.of(1), "virtio",
                        deviceState, EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P), Optional.empty()),
                new DeviceDescription(
                        "mdev0", "mtty", "host1", Optional.empty(), OptionalInt.empty(), "vfio",
                        Optional.empty(), EnumSet.of(MigrationFeature.STOP_COPY), Optional.empty())));
        devices.addAll(more);
        return devices;
    }

    @Override
    public Optional<DeviceDescription> device(String id) {
        return devices().stream().filter(device -> device.id().equals(id)).findFirst();
    }

    @Override
    public StateChange setState(String id, DeviceState wanted) throws MigrationException {
        failIfTold();
        List<Arc> arcs = wanted == DeviceState.RUNNING
                ? List.of()
                : List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
        return new StateChange(id, DeviceState.RUNNING, arcs, wanted);
    }

    @Override
    public StateChange reset(String id) throws MigrationException {
        failIfTold();
        return new StateChange(id, DeviceState.ERROR, List.of(), DeviceState.RUNNING);
    }

    @Override
    public List<Finding> check(MigrationRequest request) {
        return findings;
    }

    @Override
    public Migration start(MigrationRequest request, MigrationListener listener) {
        if (stopping) {
            throw new IllegalStateException("The migration service is being stopped.");
        }
        started = request;
        listener.onEvent(new MigrationEvent.PhaseStarted("m1", MigrationPhase.CHECK));
        listener.onEvent(new MigrationEvent.ArcTaken("m1", request.source(), Arc.RUNNING_TO_RUNNING_P2P));
        MigrationReport report = Samples.report(request, findings, failure);
        return new Ended(request, report);
    }

    @Override
    public MigrationPlan plan(MigrationRequest request) {
        return Samples.plan(request, findings);
    }

    @Override
    public boolean cancel(String migration) {
        return false;
    }

    @Override
    public Optional<MigrationReport> report(String migration) {
        return ended.stream().filter(report -> report.migration().equals(migration)).findFirst();
    }

    @Override
    public List<MigrationReport> reports() {
        return ended;
    }

    @Override
    public List<Migration> migrations() {
        return running;
    }

    @Override
    public long save(String id, WritableByteChannel to) throws MigrationException {
        try {
            to.write(ByteBuffer.wrap(state));
        } catch (IOException e) {
            throw new MigrationException(Failure.of(FailureCode.IO_FAILED, e.toString()), e);
        }
        failIfTold();
        onSaved.run();
        return state.length;
    }

    @Override
    public long restore(String id, ReadableByteChannel from) throws MigrationException {
        failIfTold();
        ByteBuffer one = ByteBuffer.allocate(1);
        try {
            while (from.read(one) > 0) {
                restored.add(one.get(0));
                one.clear();
            }
        } catch (IOException e) {
            throw new MigrationException(Failure.of(FailureCode.IO_FAILED, e.toString()), e);
        }
        return restored.size();
    }

    private record Ended(MigrationRequest request, MigrationReport report) implements Migration {
        @Override
        public String id() {
            return report.migration();
        }

        @Override
        public MigrationPhase phase() {
            return MigrationPhase.RELEASE;
        }

        @Override
        public MigrationProgress progress() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean cancel() {
            return false;
        }

        @Override
        public CompletionStage<MigrationReport> result() {
            return CompletableFuture.completedStage(report);
        }
    }
}
