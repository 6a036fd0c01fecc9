// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.Optional;
import java.util.Set;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * One device that can be migrated. A vendor registers one service of this type per device, with the properties named
 * below, for as long as the device is there. The properties stay as they are: {@code fsm-core} reads them once, others
 * follow them, so whoever has other ones to give registers the device anew.
 *
 * <p><b>Caller and threads.</b> {@code fsm-core} alone calls a driver. It makes at most one call of {@link #step},
 * {@link #stopCopySize} and of the session at a time; {@link #reset} and {@link #state} may come on another thread at
 * any moment, and so may {@link #features}, {@link #profile} and {@link #dirtyTracker}, which only ask. Every call must
 * return within seconds: a driver bounds its own waits and fails with {@link Errno#ETIMEDOUT}.
 *
 * <p><b>States.</b> The driver owns the present state. It begins as RUNNING, follows the steps, returns to RUNNING on
 * {@link #reset}, and goes to ERROR by itself when an arc failed and no valid state is left. A driver meets only the
 * arcs that its features make possible.
 *
 * <p><b>Departure.</b> When the service is unregistered, {@code fsm-core} still uses the driver to put the device in
 * order before the unregistration returns: a migration ends, within a bounded time, and its source is RUNNING again, an
 * idle device goes back to RUNNING, and one whose state was handed over is reset. A device stays as it is where the
 * guest could then run twice, or the last copy of its state be lost. That holds until the unregistration returns: where
 * a driver closes the device after that, and the close resets it, what it holds is lost all the same; a vendor whose
 * devices are like that says so.
 */
@ConsumerType
public interface MigrationDriver {

    /** Service property, String, mandatory: unique name of the device, for example {@code host1/pf0/vf1}. */
    String DEVICE_ID = "ferry.device.id";

    /** Service property, String, mandatory: kind of device; both ends must agree. Example: {@code virtio-net}. */
    String DEVICE_TYPE = "ferry.device.type";

    /** Service property, String, mandatory: the name of the bundle's way to the device, for example {@code virtio}. */
    String BACKEND = "ferry.backend";

    /** Service property, String, mandatory: the host that the device is in. */
    String HOST = "ferry.host";

    /** Service property, String, optional: id of the owner device (PF). */
    String OWNER = "ferry.owner.id";

    /** Service property, Integer, optional: group member id within the owner, 1 or more. */
    String MEMBER = "ferry.owner.member";

    /**
     * Service property, Integer, optional: how many data transfer sessions all members of the owner device can have at
     * a time.
     */
    String OWNER_SESSIONS = "ferry.owner.sessions";

    /**
     * Service property, String, optional: one sentence saying why this device cannot be migrated. Such a driver has no
     * features and refuses every step; it is registered so that operators see the device, and the reason.
     */
    String NOT_MIGRATABLE = "ferry.not.migratable";

    /**
     * Service property, String, optional: name of the stream format that the bytes of its sessions follow, as in {@link
     * dev.ferry.stream.StreamReader#NAME}. Left out: opaque bytes that only the same type of driver understands.
     */
    String STREAM_FORMAT = "ferry.stream.name";

    /**
     * What the device can do; the same answer for the life of the service. Does not block.
     *
     * @return contains {@link MigrationFeature#STOP_COPY}; empty for a device that is {@link #NOT_MIGRATABLE}
     */
    Set<MigrationFeature> features();

    /**
     * The state the device is in now. Does not block for longer than a read of the device takes.
     *
     * @throws DeviceException when the device cannot be asked; treat it as unknown
     */
    DeviceState state() throws DeviceException;

    /**
     * Performs exactly one arc.
     *
     * <p>On return the device is in {@code arc.to()}. On an exception it is in {@code arc.from()} or in ERROR, but for
     * the cases below: read {@link #state}. A reset of the device from elsewhere during the call may leave it RUNNING,
     * whether the call returned or not.
     *
     * <p>An arc that opens a session has failed when the device reached the state and gave no session. The driver then
     * takes the device out of a saving state again, to {@code arc.from()}. It does not do so with RESUMING, because the
     * device has let go of the state it had: the device stays in RESUMING without a session, {@link
     * Arc#RESUMING_TO_STOP} fails with EINVAL, and only {@link #reset} leads out.
     *
     * <p>An arc that opens no session has failed, too, when the device reached the state and gave one all the same: the
     * driver drops that and the session before, and the device stays in {@code arc.to()}.
     *
     * @param arc starts at the present state
     * @return the session, for an arc that {@linkplain Arc#sessionEffect opens} one, else empty
     * @throws DeviceException EINVAL when the arc does not start at the present state or loaded data is incomplete;
     *     ENOSPC when the device has no free resource for a session; EOPNOTSUPP for an arc the device lacks; ETIMEDOUT
     *     when the device did not answer; other errnos as the device gives them
     */
    Optional<DataTransferSession> step(Arc arc) throws DeviceException;

    /**
     * Asks for what the next data transfer session needs, ahead of the step that opens it. Returns at once; whoever
     * gets the ticket waits there. A step that opens a session without a granted ticket does not wait: it fails with
     * ENOSPC when nothing is free. One ticket at a time; closed by whoever asked for it.
     *
     * @throws DeviceException when the device cannot be asked
     */
    default SessionTicket requestSession() throws DeviceException {
        return SessionTicket.GRANTED;
    }

    /**
     * What the device is, what its present state asks for, and what it could take; in any state without a session. May
     * ask the device, may come on any thread, changes nothing and leaves nothing behind.
     *
     * @return empty when the driver cannot tell; the ends are then compared no further
     * @throws DeviceException ENOSPC when a resource that is needed to ask is not free; others as the device gives them
     */
    default Optional<DeviceProfile> profile() throws DeviceException {
        return Optional.empty();
    }

    /**
     * How many bytes a saving session would give now if the device were stopped; an estimate, in any state.
     *
     * @return zero or more
     */
    long stopCopySize() throws DeviceException;

    /**
     * Resets the device: the state becomes RUNNING from any state, sessions are dead, the guest's configuration of the
     * device is lost. The only way out of ERROR, and the way to abandon RESUMING.
     *
     * @throws DeviceException when the device could not be reset; its state is then unknown
     */
    void reset() throws DeviceException;

    /**
     * The way to learn which pages the device writes while its guest runs; the same answer for the life of the service.
     * Does not block; may come on any thread.
     *
     * @return empty when nothing can tell: every page that the device may write then counts as written
     */
    default Optional<DirtyTracker> dirtyTracker() {
        return Optional.empty();
    }
}
