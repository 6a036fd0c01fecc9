// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.fsm.DeviceState;

/**
 * The device state, and the gate that lets one operation at a time change it.
 *
 * <p>A reset never waits at the gate. When an operation is inside, the reset is deferred: the state is RUNNING at once,
 * what the operation does to the state no longer counts, and the operation finishes the reset on its way out. This is
 * the deferred-reset scheme of the kernel's drivers (drivers/vfio/pci/virtio/migrate.c). Thread-safe; not reentrant.
 */
public final class StateGate {

    private final Runnable finishReset;
    private final Entry entry;
    private boolean resetPending;
    private volatile DeviceState state = DeviceState.RUNNING;

    /**
     * A gate in RUNNING.
     *
     * @param finishReset run inside the gate, without any lock, for each deferred reset
     */
    public StateGate(String deviceId, Runnable finishReset) {
        this.entry = new Entry(deviceId);
        this.finishReset = finishReset;
    }

    /** The state now; does not block. */
    public DeviceState state() {
        return state;
    }

    /**
     * Enters.
     *
     * @throws DeviceException EBUSY when the one inside did not leave in time
     */
    public void enter(long timeoutNanos) throws DeviceException {
        entry.enter(timeoutNanos);
    }

    /** Enters if nobody is inside. */
    public boolean tryEnter() {
        return entry.tryEnter();
    }

    /** Leaves, after every deferred reset was finished; also when finishing one throws. */
    public void leave() {
        synchronized (this) {
            if (!resetPending) {
                entry.leave();
                return;
            }
            resetPending = false;
        }
        try {
            finishReset.run();
        } finally {
            leave(); // another reset may have come meanwhile
        }
    }

    /** Sets the state, unless a reset has overtaken the operation. Only inside the gate. */
    public synchronized void advance(DeviceState to) {
        if (!resetPending) {
            state = to;
        }
    }

    /** The device was reset while an operation may be inside; it, or this call, finishes the reset. */
    public void deferReset() {
        synchronized (this) {
            resetPending = true;
            state = DeviceState.RUNNING;
            if (!entry.tryEnter()) {
                return;
            }
        }
        leave();
    }
}
