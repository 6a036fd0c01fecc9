// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.internal.net.FunctionConfig;
import dev.ferry.emulator.internal.net.VirtioNetFunction;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Guest;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
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
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Moves real emulated devices in the simplest way; stands for the service, which is tested where it is. */
final class FakeMigrations implements MigrationService {

    private final Map<String, VirtioNetFunction> functions = new TreeMap<>();
    private final Map<String, DeviceState> states = new TreeMap<>();
    /** Fails each migration, after the source was stopped. */
    boolean failing;
    /** What a plan finds. */
    List<Finding> findings = List.of();

    Vf add(String host) {
        return add(host, 0);
    }

    Vf add(String host, int number) {
        String id = host + "/pf0/vf" + (number + 1);
        VirtioNetFunction function = new VirtioNetFunction(new FunctionConfig(
                id, new byte[] {2, 0, 0, 0, 0, 1}, 1, 256, FunctionConfig.defaultFeatures(1)));
        functions.put(id, function);
        states.put(id, DeviceState.RUNNING);
        return new Vf(id, host, function, function);
    }

    @Override
    public List<DeviceDescription> devices() {
        return functions.keySet().stream().map(id -> device(id).orElseThrow()).toList();
    }

    @Override
    public Optional<DeviceDescription> device(String id) {
        return Optional.of(new DeviceDescription(
                id, "virtio-net", id.substring(0, id.indexOf('/')), Optional.of(id.substring(0, id.lastIndexOf('/'))),
                OptionalInt.of(1), "fake", Optional.of(states.get(id)),
                EnumSet.noneOf(dev.ferry.fsm.MigrationFeature.class), Optional.empty()));
    }

    @Override
    public StateChange setState(String id, DeviceState state) {
        functions.get(id).setStopped(state != DeviceState.RUNNING);
        return new StateChange(id, states.put(id, state), List.of(), state);
    }

    @Override
    public StateChange reset(String id) {
        return new StateChange(id, states.put(id, DeviceState.RUNNING), List.of(), DeviceState.RUNNING);
    }

    @Override
    public Migration start(MigrationRequest request, MigrationListener listener) {
        CompletableFuture<MigrationReport> result =
                CompletableFuture.supplyAsync(() -> migrate(request, listener));
        return new Migration() {
            @Override
            public String id() {
                return "m1";
            }

            @Override
            public MigrationRequest request() {
                return request;
            }

            @Override
            public MigrationPhase phase() {
                return MigrationPhase.RELEASE;
            }

            @Override
            public MigrationProgress progress() {
                return new MigrationProgress(
                        phase(),
                        false,
                        0,
                        MigrationProgress.Transfer.NONE,
                        MigrationProgress.Transfer.NONE,
                        List.of(),
                        0,
                        request.convergence().maxDowntime(),
                        Optional.empty(),
                        Optional.empty());
            }

            @Override
            public boolean cancel() {
                return false;
            }

            @Override
            public CompletionStage<MigrationReport> result() {
                return result;
            }
        };
    }

    private MigrationReport migrate(MigrationRequest request, MigrationListener listener) {
        try {
            Guest source = request.guests().orElseThrow().source();
            Guest destination = request.guests().orElseThrow().destination();
            listener.onEvent(new MigrationEvent.PhaseStarted("m1", MigrationPhase.SWITCHOVER));
            source.pause();
            request.devices().forEach(pair -> setState(pair.source(), DeviceState.STOP));
            if (failing) {
                request.devices().forEach(pair -> setState(pair.source(), DeviceState.RUNNING));
                source.resume();
                return report(request, Optional.of(Failure.of(FailureCode.STREAM_REFUSED, "It was refused.")));
            }
            move(request, source, destination);
            listener.onEvent(new MigrationEvent.PhaseStarted("m1", MigrationPhase.START));
            request.devices().forEach(pair -> setState(pair.destination(), DeviceState.RUNNING));
            destination.resume();
            return report(request, Optional.empty());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void move(MigrationRequest request, Guest source, Guest destination) throws IOException {
        for (DevicePair pair : request.devices()) {
            VirtioNetFunction from = functions.get(pair.source());
            setState(pair.destination(), DeviceState.STOP);
            ByteBuffer parts = ByteBuffer.allocate(from.maxPartsSize());
            from.captureParts(null, parts);
            functions.get(pair.destination()).loadParts(parts.flip());
            destination.loadDeviceConfig(pair.destination(), source.saveDeviceConfig(pair.source()));
        }
        for (IovaRange range : source.memory().ranges()) {
            ByteBuffer memory = ByteBuffer.allocate((int) range.length());
            source.memory().read(range.iova(), memory);
            destination.memory().write(range.iova(), memory.flip());
        }
    }

    private static MigrationReport report(MigrationRequest request, Optional<Failure> failure) {
        return new MigrationReport(
                "m1",
                failure.isEmpty() ? MigrationReport.Result.COMPLETED : MigrationReport.Result.FAILED,
                false,
                Instant.EPOCH,
                Duration.ofMillis(10),
                Duration.ofMillis(3),
                List.of(),
                List.of(new MigrationReport.Phase(MigrationPhase.SWITCHOVER, Duration.ofMillis(2))),
                List.of(new MigrationReport.Device(
                        request.source(),
                        request.destination(),
                        failure.map(each -> DeviceState.RUNNING),
                        Optional.empty(),
                        0,
                        700,
                        List.of())),
                new MigrationReport.Memory(16 << 20, 0, 16 << 20, 0),
                List.of(),
                0,
                List.of(),
                failure);
    }

    @Override
    public List<Finding> check(MigrationRequest request) {
        return List.of();
    }

    @Override
    public MigrationPlan plan(MigrationRequest request) {
        String explanation = request.guests().isPresent() ? "Its pages are tracked." : "No guest is named.";
        return new MigrationPlan(
                findings,
                request.devices().stream()
                        .map(pair -> new MigrationPlan.Device(
                                pair, request.preCopy(), OptionalLong.of(2048), Optional.empty()))
                        .toList(),
                new MigrationPlan.Memory(16 << 20, true, 4096, 512, explanation),
                Optional.of(Duration.ofMillis(70)));
    }

    @Override
    public boolean cancel(String migration) {
        return false;
    }

    @Override
    public Optional<MigrationReport> report(String migration) {
        return Optional.empty();
    }

    @Override
    public List<MigrationReport> reports() {
        return List.of();
    }

    @Override
    public List<Migration> migrations() {
        return List.of();
    }

    @Override
    public long save(String id, WritableByteChannel to) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long restore(String id, ReadableByteChannel from) {
        throw new UnsupportedOperationException();
    }
}
