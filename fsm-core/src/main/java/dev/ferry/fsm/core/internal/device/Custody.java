// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Whose the state is that a device holds, which says what becomes of it when nobody asks for anything: two devices
 * never act for one guest, and what may be the last copy is never thrown away. Changed by whoever holds the reservation
 * of the device. Thread-safe, as one end tells the other that it runs.
 */
public final class Custody {

    /** The cases. */
    enum Kind {
        /** Unknown, as it was not RUNNING yet since its driver came: whoever left it so may have had a reason. */
        FOUND,
        /** Its own: it may run, and be reset where it cannot. */
        OWN,
        /** Its own, but another device may still act for its guest: it stays until its user runs or resets it. */
        HELD_BACK,
        /** What it took over and has not run with yet: it may run, but is not reset. */
        TAKEN_OVER,
        /** What it gave away, before the other device has run with it: as released, but kept while nobody needs it. */
        SPARE,
        /** Another device's: it is reset before anything else is done with it. */
        RELEASED
    }

    /**
     * One case.
     *
     * @param advice why the device stays as it is when its driver leaves, and what to do
     * @param running whether whoever took over the state has run with it; shared by both ends
     */
    private record Claim(Kind kind, String advice, AtomicBoolean running) {
        static Claim of(Kind kind, String advice) {
            return new Claim(kind, advice, new AtomicBoolean());
        }
    }

    private final String device;
    private volatile Claim claim = Claim.of(
            Kind.FOUND,
            "it has not been seen RUNNING since its driver came; take it to RUNNING, if nothing else acts for its "
                    + "guest, or reset it.");

    Custody(String device) {
        this.device = device;
    }

    Kind kind() {
        Claim now = claim;
        return now.kind() == Kind.SPARE && now.running().get() ? Kind.RELEASED : now.kind();
    }

    String advice() {
        return claim.advice();
    }

    /** Whether the device holds what belongs to another device. */
    public boolean isReleased() {
        return switch (kind()) {
            case SPARE, RELEASED -> true;
            case FOUND, OWN, HELD_BACK, TAKEN_OVER -> false;
        };
    }

    /** What to know and to do before the device is taken to RUNNING; empty where nothing stands against that. */
    public Optional<String> beforeItRuns() {
        return switch (kind()) {
            case FOUND, HELD_BACK, TAKEN_OVER, SPARE -> Optional.of(advice());
            case OWN, RELEASED -> Optional.empty();
        };
    }

    /** Why what the device holds is not to be overwritten by a migration, and what to do; empty where it may be. */
    public Optional<String> toKeep() {
        return switch (kind()) {
            case FOUND, HELD_BACK, TAKEN_OVER -> Optional.of(advice());
            case OWN, SPARE, RELEASED -> Optional.empty();
        };
    }

    /** What the device holds is not to act again: it must be reset before anything else is done with it. */
    void release() {
        claim = Claim.of(Kind.RELEASED, "");
    }

    /** What the device holds belongs to another device now, which holds it too: it must be reset before it is used. */
    public void handOverTo(Custody other) {
        AtomicBoolean running = new AtomicBoolean();
        claim = new Claim(
                Kind.SPARE,
                other.device + " took over its state and has not run with it, so this copy may be the last one; reset "
                        + "this device when " + other.device + " runs.",
                running);
        other.claim = new Claim(
                Kind.TAKEN_OVER,
                "it took over the state of " + device + " and has not run with it, so this copy may be the last one; "
                        + "take it to RUNNING, or reset it to give that state up.",
                running);
    }

    /** The device is not to run beside these others. */
    public void holdBack(String others) {
        claim = Claim.of(
                Kind.HELD_BACK,
                others + " could be neither reset nor stopped and may still act for its guest; reset " + others
                        + " before anything runs this device.");
    }

    /** The device was asked to be RUNNING with what it holds, and is. */
    void ran() {
        if (!isReleased()) {
            claim.running().set(true);
            claim = Claim.of(Kind.OWN, "");
        }
    }

    /** The device is RUNNING, and it is not known for how long. */
    void foundRunning() {
        if (kind() == Kind.FOUND) {
            claim = Claim.of(Kind.OWN, "");
        }
    }

    /** The device was reset. */
    void wiped() {
        claim = Claim.of(Kind.OWN, "");
    }
}
