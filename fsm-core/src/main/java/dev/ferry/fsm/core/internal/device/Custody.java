// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

/**
 * Whose the state is that a device holds, which says what becomes of it when nobody asks for anything: two devices never
 * act for one guest. Changed by whoever holds the reservation of the device; thread-safe, as its driver may leave before
 * that one is done.
 */
public final class Custody {

    /** The cases. */
    enum Kind {
        /** Its own: it may run, and be reset where it cannot. */
        OWN,
        /** Its own, but another device may still act for its guest: it stays until its user runs or resets it. */
        HELD_BACK,
        /** Another device's: it is reset before anything else is done with it. */
        RELEASED
    }

    /**
     * One case.
     *
     * @param advice why the device stays as it is when its driver leaves, and what to do
     */
    private record Claim(Kind kind, String advice) {}

    private static final Claim OWN = new Claim(Kind.OWN, "");

    private volatile Claim claim = OWN;

    Kind kind() {
        return claim.kind();
    }

    String advice() {
        return claim.advice();
    }

    /** Whether the device holds what belongs to another device. */
    public boolean isReleased() {
        return kind() == Kind.RELEASED;
    }

    /** What the device holds belongs to another device now: it must be reset before anything else is done with it. */
    public void release() {
        claim = new Claim(Kind.RELEASED, "");
    }

    /** The device is not to run beside these others. */
    public void holdBack(String others) {
        claim = new Claim(
                Kind.HELD_BACK,
                others + " could be neither reset nor stopped and may still act for its guest; reset " + others
                        + " before anything runs this device.");
    }

    /** The device has gone to RUNNING with what it holds. */
    void ran() {
        if (!isReleased()) {
            claim = OWN;
        }
    }

    /** The device was reset. */
    void wiped() {
        claim = OWN;
    }
}
