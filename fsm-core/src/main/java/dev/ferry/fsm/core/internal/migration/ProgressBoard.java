// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.pace.MemoryRate;
import dev.ferry.fsm.core.internal.pace.Prediction;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationProgress.Transfer;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicReference;

/** Makes the progress of one migration out of its gauges. Confined to its thread. */
final class ProgressBoard {

    private static final int ALMOST = 99;
    private static final int COMPLETE = 100;
    private static final MigrationProgress.Range NOTHING_LEFT =
            new MigrationProgress.Range(Duration.ZERO, Optional.of(Duration.ZERO));

    private final TimeSource clock;
    private final Downtime downtime;
    private final List<DeviceEnds> devices = new ArrayList<>();
    private final List<Speed> speeds = new ArrayList<>();
    private final Gauge memory = new Gauge();
    private final Speed memorySpeed;
    private Duration allowed;
    private Optional<Duration> predicted = Optional.empty();
    private Duration ofDevices = Duration.ZERO;
    private boolean devicesKnown;
    private int round;

    /** Empty when nobody knows whether it ends. */
    private OptionalDouble writtenPerSecond = OptionalDouble.empty();

    private boolean complete;
    private final AtomicReference<MigrationProgress> last;

    ProgressBoard(MigrationRequest request, TimeSource clock, Downtime downtime) {
        this.clock = clock;
        this.downtime = downtime;
        this.memorySpeed = new Speed(memory);
        this.allowed = request.convergence().maxDowntime();
        this.last = new AtomicReference<>(new MigrationProgress(
                MigrationPhase.CHECK,
                true,
                0,
                Transfer.NONE,
                Transfer.NONE,
                request.devices().stream().map(ProgressBoard::before).toList(),
                0,
                allowed,
                Optional.empty(),
                Optional.empty()));
    }

    private static MigrationProgress.Device before(DevicePair pair) {
        return new MigrationProgress.Device(pair.source(), Transfer.NONE, false);
    }

    /** The devices are known. */
    void follow(List<DeviceEnds> ends) {
        for (DeviceEnds device : ends) {
            devices.add(device);
            speeds.add(new Speed(device.gauge()));
        }
    }

    /** What was carried of the guest's memory. */
    Gauge memory() {
        return memory;
    }

    int round() {
        return round;
    }

    void beginRound(int number) {
        round = number;
    }

    void predict(Duration allowedNow, DowntimePlan plan, OptionalDouble writtenBytesPerSecond) {
        allowed = allowedNow;
        predicted = plan.prediction().map(Prediction::downtime);
        devicesKnown = plan.unknown().isEmpty();
        ofDevices = plan.ofDevices();
        writtenPerSecond = writtenBytesPerSecond;
    }

    /** All of it is done. */
    void complete() {
        complete = true;
        memory.setRemaining(0);
        devices.forEach(device -> device.gauge().setRemaining(0));
    }

    /** How far it was at the last update, for any thread. */
    AtomicReference<MigrationProgress> last() {
        return last;
    }

    /** Looks at the gauges again. */
    MigrationProgress update(MigrationPhase phase) {
        List<MigrationProgress.Device> each = new ArrayList<>();
        Transfer carried = memorySpeed.now();
        Transfer sum = carried;
        for (int i = 0; i < devices.size(); i++) {
            Transfer transfer = speeds.get(i).now();
            sum = plus(sum, transfer);
            DeviceEnds device = devices.get(i);
            each.add(new MigrationProgress.Device(
                    device.source().id(), transfer, device.isAcknowledged(), timeLeft(transfer, device)));
        }
        MigrationProgress now = new MigrationProgress(
                phase,
                false,
                percent(sum),
                sum,
                carried,
                each.isEmpty() ? last.get().devices() : each,
                round,
                allowed,
                predicted,
                timeLeft(sum, phase));
        last.set(now);
        return now;
    }

    private int percent(Transfer sum) {
        if (complete) {
            return COMPLETE;
        }
        double known = (double) sum.bytes() + sum.remainingBytes();
        return known == 0 ? 0 : (int) (ALMOST * (sum.bytes() / known));
    }

    private Optional<MigrationProgress.Range> timeLeft(Transfer sum, MigrationPhase phase) {
        if (complete) {
            return Optional.of(NOTHING_LEFT);
        }
        double rate = sum.bytesPerSecond();
        Duration transfer = rate == 0 ? Duration.ZERO : MemoryRate.time(sum.remainingBytes(), rate);
        if (downtime.isNow()) {
            return downtime.left(transfer).map(left -> new MigrationProgress.Range(left, Optional.of(left)));
        }
        if (rate == 0 || phase == MigrationPhase.RELEASE) {
            return Optional.empty();
        }
        boolean ends = devicesKnown && writtenPerSecond.isPresent() && rate > writtenPerSecond.getAsDouble();
        Optional<Duration> atMost = ends
                ? Optional.of(MemoryRate.time(sum.remainingBytes(), rate - writtenPerSecond.getAsDouble())
                        .plus(ofDevices))
                : Optional.empty();
        return Optional.of(new MigrationProgress.Range(transfer.plus(ofDevices), atMost));
    }

    private Optional<MigrationProgress.Range> timeLeft(Transfer transfer, DeviceEnds device) {
        if (complete) {
            return Optional.of(NOTHING_LEFT);
        }
        if (transfer.bytesPerSecond() == 0) {
            return Optional.empty();
        }
        Duration atLeast = MemoryRate.time(transfer.remainingBytes(), transfer.bytesPerSecond());
        return Optional.of(new MigrationProgress.Range(atLeast, downtime.stepsToCome(device).map(atLeast::plus)));
    }

    private static Transfer plus(Transfer one, Transfer other) {
        return new Transfer(
                one.bytes() + other.bytes(),
                one.bytesPerSecond() + other.bytesPerSecond(),
                MemoryRate.plus(one.remainingBytes(), other.remainingBytes()));
    }

    /** The rate of one gauge over the last second or so. */
    private final class Speed {
        private static final long WINDOW_NANOS = 1_000_000_000L;

        private final Gauge gauge;
        private long windowStart = clock.nanos();
        private long windowBytes;
        private long bytesPerSecond;
        private boolean measured;

        Speed(Gauge gauge) {
            this.gauge = gauge;
        }

        Transfer now() {
            long bytes = gauge.bytes();
            long nanos = Math.max(1, clock.nanos() - windowStart);
            if (nanos >= WINDOW_NANOS || !measured) {
                bytesPerSecond = (long) ((bytes - windowBytes) * (double) WINDOW_NANOS / nanos);
            }
            if (nanos >= WINDOW_NANOS) {
                measured = true;
                windowStart += nanos;
                windowBytes = bytes;
            }
            return new Transfer(bytes, bytesPerSecond, gauge.remaining());
        }
    }
}
