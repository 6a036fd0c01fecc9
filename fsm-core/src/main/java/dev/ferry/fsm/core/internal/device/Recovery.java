// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The failure ladder of one device: unwind through the state machine, else reset, else report. Never throws, as other
 * devices wait behind this one. Used once, by one thread at a time: whoever brings back several devices at the same
 * time goes down the ladder rung by rung, all others call {@link #unwind} or {@link #abandon}.
 */
public final class Recovery {

    /** Where a device came out. */
    public enum Rung {
        /** As it was to be: RUNNING with what it held, or, when it was to be abandoned, without. */
        IN_ORDER,
        /** RUNNING, but what it held is lost, and its guest has to restart its driver. */
        RESET,
        /** Not RUNNING as far as is known; or, when it was to be abandoned, it may still act with what it held. */
        BROKEN
    }

    /**
     * How a device came out.
     *
     * @param failures in their order; empty when nothing went wrong on the way
     */
    public record Outcome(Rung rung, List<Failure> failures) {
        /** Copies the list. */
        public Outcome {
            failures = List.copyOf(failures);
        }
    }

    private final DriverCalls calls;
    private final DeviceMachine machine;
    private final ArcWatch watch;
    private final List<Failure> failures = new ArrayList<>();

    /** Recovers one device, whose reservation the caller holds. */
    public Recovery(Device device, ArcWatch watch) {
        this.calls = device.calls();
        this.machine = device.machine();
        this.watch = watch;
    }

    /** Whether the device is known to be in one of these states; changes nothing. */
    boolean isIn(Set<DeviceState> states) {
        try {
            return states.contains(machine.currentState());
        } catch (MigrationException | RuntimeException | Error e) {
            failures.add(failureOf(e));
            return false;
        }
    }

    /** Brings the device back to RUNNING with the state it holds; where it cannot keep that, without it. */
    public Outcome unwind() {
        return climb() ? inOrder() : fall();
    }

    /** The first rung of {@link #unwind}: answers whether the device runs with the state it holds. */
    public boolean climb() {
        try {
            machine.sync();
            machine.goTo(DeviceState.RUNNING, watch);
            return true;
        } catch (MigrationException | RuntimeException | Error e) {
            failures.add(failureOf(e));
            return false;
        }
    }

    /** The second rung of {@link #unwind}, after the first one broke; tells the watch nothing. */
    public Outcome fall() {
        boolean running = reset();
        if (running) {
            report("it could not be unwound and was reset: it is RUNNING, but the guest's configuration of it is lost; "
                    + "restart its driver in the guest.");
        }
        return new Outcome(running ? Rung.RESET : Rung.BROKEN, failures);
    }

    /** Leaves the device as it is, with what it holds; also after the first rung of {@link #unwind} broke. */
    public Outcome stay() {
        return new Outcome(Rung.BROKEN, failures);
    }

    /** Throws away what the device holds; where it cannot, stops the device. */
    public Outcome abandon() {
        return reset() ? inOrder() : silence();
    }

    /** What went wrong was mended. */
    public Outcome inOrder() {
        return new Outcome(Rung.IN_ORDER, failures);
    }

    /** The second rung of {@link #abandon}, after the reset failed. */
    public Outcome silence() {
        boolean silent = stop();
        // What it holds must not run here, whatever is asked of it next.
        machine.custody().release();
        return new Outcome(silent ? Rung.IN_ORDER : Rung.BROKEN, failures);
    }

    private boolean stop() {
        try {
            DeviceState actual = machine.sync();
            if (actual != DeviceState.RESUMING && actual != DeviceState.STOP_COPY) {
                machine.goTo(DeviceState.STOP, watch);
            }
            return true;
        } catch (MigrationException | RuntimeException | Error e) {
            failures.add(failureOf(e));
            return false;
        }
    }

    /** The first rung of {@link #abandon}: answers whether what the device held is gone; tells the watch nothing. */
    public boolean reset() {
        try {
            machine.reset();
            return true;
        } catch (MigrationException | RuntimeException | Error e) {
            failures.add(failureOf(e));
            report("it could not be reset and must be taken for being in ERROR: reset it by its host's means before it "
                    + "is used again.");
            return false;
        }
    }

    private Failure failureOf(Throwable e) {
        return e instanceof MigrationException known
                ? known.failure()
                : calls.failure(FailureCode.INTERNAL, Optional.empty(), "a defect of Ferry on its way back: " + e
                        + "; please report it with the log.");
    }

    private void report(String message) {
        failures.add(calls.failure(FailureCode.DEVICE_FAILED, Optional.empty(), message));
    }
}
