// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.device.DeviceProfile;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.TransitionTable;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device for as long as the service of its driver is there: who it is, its state machine, and who uses it.
 *
 * <p>One job at a time holds its {@link Reservation}. When the driver leaves, that job is told and given time to put
 * the device in order; after that the driver is not called any more. Thread-safe; no lock is held while a driver is
 * called.
 */
public final class Device {

    private static final Logger LOG = LoggerFactory.getLogger(Device.class);

    /** A device that captures its state for an answer takes seconds at most. */
    private static final Duration LONGEST_ANSWER = Duration.ofSeconds(5);

    /** For calls that nobody waits for otherwise, where jobs have taken all the time: the driver closes after them. */
    private static final Duration LEAST_FOR_CALLS = Duration.ofSeconds(1);

    /** A driver begins with RUNNING, and gets into ERROR by itself; into any other state somebody has taken it. */
    private static final Set<DeviceState> AS_A_DRIVER_BRINGS_IT = Set.of(DeviceState.RUNNING, DeviceState.ERROR);

    private final DeviceProperties properties;
    private final Set<MigrationFeature> features;
    private final MigrationDriver driver;
    private final DriverCalls calls;
    private final DeviceMachine machine;

    private Reservation reservation;
    private boolean leaving;

    Device(DeviceProperties properties, MigrationDriver driver, TransitionTable table) {
        this.properties = properties;
        this.driver = driver;
        this.features = Set.copyOf(driver.features());
        this.calls = new DriverCalls(properties.id());
        this.machine = new DeviceMachine(calls, driver, features, table, this::signal);
    }

    /** Its id. */
    public String id() {
        return properties.id();
    }

    /** What its driver says about it. */
    public DeviceProperties properties() {
        return properties;
    }

    /** What it can do. */
    public Set<MigrationFeature> features() {
        return features;
    }

    /** The way to its driver. */
    public DriverCalls calls() {
        return calls;
    }

    /** Its state machine; for the holder of the reservation. */
    public DeviceMachine machine() {
        return machine;
    }

    /** Whether a job uses it now; waits for whoever only asks it something, until the signal asks to stop. */
    public synchronized boolean isBusy(StopSignal signal) {
        awaitAnswer(signal);
        return reservation != null;
    }

    /** The state its driver gives; empty when that cannot be asked. */
    public Optional<DeviceState> state() {
        try {
            return Optional.of(machine.currentState());
        } catch (MigrationException e) {
            LOG.debug("{}", e.failure().message(), e);
            return Optional.empty();
        }
    }

    /** What it is, with its state now. */
    public DeviceDescription describe() {
        return new DeviceDescription(
                properties.id(),
                properties.type(),
                properties.host(),
                properties.owner(),
                properties.member(),
                properties.backend(),
                state(),
                features,
                properties.notMigratable());
    }

    /**
     * What it asks for and takes, as its driver tells.
     *
     * @throws MigrationException DEVICE_FAILED or PROVIDER_GONE
     */
    public Optional<DeviceProfile> profile() throws MigrationException {
        return calls.call("asking for its profile", driver::profile);
    }

    /**
     * Takes the device for a job that runs on the calling thread; waits for whoever only asks it something.
     *
     * @param signal told when the driver leaves; ends the wait
     * @throws MigrationException DEVICE_BUSY, PROVIDER_GONE, or why the job is to stop
     */
    public Reservation reserve(StopSignal signal) throws MigrationException {
        return reserve(signal, false);
    }

    /**
     * Takes the device for one question to its driver, on the calling thread: nobody is told that it is busy meanwhile.
     *
     * @throws MigrationException DEVICE_BUSY or PROVIDER_GONE
     */
    public Reservation reserveForQuestion() throws MigrationException {
        return reserve(StopSignal.withoutLimit(), true);
    }

    private synchronized Reservation reserve(StopSignal signal, boolean question) throws MigrationException {
        if (!awaitAnswer(signal)) {
            signal.check();
        }
        if (leaving) {
            throw new MigrationException(DriverCalls.providerGone(id()));
        }
        if (reservation != null) {
            String user = reservation.isQuestion()
                    ? "a plan asks for the size of its state"
                    : "another migration, save, restore or state change uses it";
            throw new MigrationException(Failure.of(
                    FailureCode.DEVICE_BUSY, id(), id() + ": " + user + "; try again when it has ended."));
        }
        reservation = new Reservation(this, signal, Thread.currentThread(), question);
        return reservation;
    }

    /** Answers whether nobody asks it something any more. */
    private synchronized boolean awaitAnswer(StopSignal signal) {
        long deadline = System.nanoTime() + LONGEST_ANSWER.toNanos();
        BoundedWait.until(() -> isAnswered() || signal.isAsked(), this, deadline);
        return isAnswered();
    }

    private synchronized boolean isAnswered() {
        return reservation == null || !reservation.isQuestion();
    }

    void giveBack(Reservation ended) {
        if (isHeldBy(ended)) {
            if (machine.custody().isReleased()) {
                // Nothing is read from it or written to it any more, also where it did not leave its state.
                machine.dropSession();
            }
            machine.place().release();
            free(ended);
        }
    }

    private synchronized boolean isHeldBy(Reservation held) {
        return reservation == held;
    }

    private synchronized void free(Reservation ended) {
        if (reservation == ended) {
            reservation = null;
            notifyAll();
        }
    }

    /** Of the job that uses the device; without one nobody asks to stop. */
    synchronized StopSignal signal() {
        return reservation == null ? StopSignal.withoutLimit() : reservation.signal();
    }

    /**
     * The driver is being withdrawn: tells the job that uses the device, waits for it, and lets go of the driver.
     *
     * @param serving false where another driver leads to the same device, which is in that one's hands
     * @param bound of the wait for others, but for a last second for calls under way; what is done here itself lasts
     *     as long as the driver needs
     */
    void leave(boolean serving, Duration bound) {
        long deadline = System.nanoTime() + bound.toNanos();
        Reservation held = beginLeaving();
        if (held == null || awaitFree(held, deadline)) {
            if (serving && properties.notMigratable().isEmpty()) {
                putInOrder();
            }
            machine.dropSession();
        } else {
            LOG.warn(
                    "{}: its driver left while {} still used it; the device may be in any state: reset it before use",
                    id(),
                    held.user().getName());
        }
        long least = System.nanoTime() + LEAST_FOR_CALLS.toNanos();
        if (!calls.markGone(deadline - least < 0 ? least : deadline)) {
            LOG.warn("{}: its driver left, but a call of it has not returned yet", id());
        }
    }

    /**
     * The next driver of the device begins with RUNNING and knows nothing of what was: a device that holds another
     * one's state is reset, any other runs again. What might run twice or be lost for good stays as it is. Nobody else
     * can have the device while it leaves.
     */
    private void putInOrder() {
        Recovery recovery = new Recovery(this, ArcWatch.NONE);
        switch (machine.custody().kind()) {
            case OWN -> warn(recovery.unwind());
            case RELEASED -> warn(recovery.abandon());
            case TAKEN_OVER -> {
                if (!recovery.climb()) {
                    tellThatItStays(recovery.stay());
                }
            }
            case FOUND -> {
                if (recovery.isIn(AS_A_DRIVER_BRINGS_IT)) {
                    warn(recovery.unwind());
                } else {
                    tellThatItStays(recovery.stay());
                }
            }
            case HELD_BACK, SPARE -> tellThatItStays(recovery.stay());
        }
    }

    private void tellThatItStays(Recovery.Outcome outcome) {
        String tried =
                outcome.failures().stream().map(failure -> " " + failure.message()).collect(Collectors.joining());
        LOG.error(
                "{}: its driver leaves, and it stays in {}: {}{}",
                id(),
                state().map(DeviceState::name).orElse("a state that cannot be asked"),
                machine.custody().advice(),
                tried);
    }

    private static void warn(Recovery.Outcome outcome) {
        for (Failure failure : outcome.failures()) {
            LOG.warn("{}", failure.message());
        }
    }

    private synchronized Reservation beginLeaving() {
        leaving = true;
        if (reservation != null) {
            reservation.signal().request(DriverCalls.providerGone(id()));
        }
        return reservation;
    }

    private synchronized boolean awaitFree(Reservation held, long deadlineNanos) {
        // A job that withdraws the driver itself, from a listener for example, cannot be waited for here; nor can one
        // for which the driver withdraws itself in a call.
        return held.user() != Thread.currentThread()
                && !calls.isCalledBy(Thread.currentThread())
                && BoundedWait.until(() -> reservation == null, this, deadlineNanos);
    }
}
