// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.fsm.DeviceState;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Migrates devices; the service of {@code fsm-core} that shells and management servers call.
 *
 * <p>Thread-safe. A device is used by one migration, save, restore or state change at a time; another one meanwhile
 * fails with {@link FailureCode#DEVICE_BUSY}.
 *
 * <p>All but {@link #start} and what asks for migrations and reports call drivers on the thread of the caller, for as
 * long as those take; {@link #check} and {@link #plan} ask for profiles, for which some devices capture their state.
 * {@link #save}, {@link #restore} and a {@link #setState} that opens a data transfer session wait for a place for it as
 * long as the driver allows: 60 s by default for VFs with device parts. Where a plan is just asking a device for the
 * size of its state, everybody else waits up to 5 s for the answer.
 */
@ProviderType
public interface MigrationService {

    /**
     * All devices that have a driver now, by id ascending, those that cannot be migrated too. Asks each for its state.
     */
    List<DeviceDescription> devices();

    /** One device; empty when no driver has this id. */
    Optional<DeviceDescription> device(String id);

    /**
     * Takes a device to a state, along the arcs of the transition table. A data transfer session opened on the way is
     * kept until the device leaves it. A device that a migration released is reset first, unless it is in that state
     * already, and that is where a change to RUNNING then ends. On the way to STOP a reset that fails is only logged,
     * and stays due.
     *
     * @return the arcs taken
     * @throws MigrationException DEVICE_NOT_FOUND, DEVICE_BUSY, TRANSITION_REFUSED (nothing was done), DEVICE_FAILED,
     *     PROVIDER_GONE, or CANCELLED when the service is being stopped (the device stays in the last state reached,
     *     or in ERROR)
     */
    StateChange setState(String id, DeviceState state) throws MigrationException;

    /**
     * Resets a device: it is RUNNING afterwards, from any state, and what it held is lost. The only way out of ERROR,
     * and the way to abandon RESUMING.
     *
     * @return from which state, without arcs, to RUNNING; from ERROR also when the state before could not be read
     * @throws MigrationException DEVICE_NOT_FOUND, DEVICE_BUSY, CANCELLED when the service is being stopped (nothing
     *     was done), DEVICE_FAILED or PROVIDER_GONE (its state is then unknown)
     */
    StateChange reset(String id) throws MigrationException;

    /**
     * Looks at both ends without disturbing them: who they are, their states, and, where their drivers can tell,
     * whether the destination takes what the source's present state asks for.
     *
     * @return all findings; empty when nothing stands against the migration
     */
    List<Finding> check(MigrationRequest request);

    /**
     * Looks at both ends as {@link #check} does, and says what the migration would do and what that would cost: which
     * devices save while the guest runs, how written pages are tracked and why. Asks idle devices for their sizes.
     */
    MigrationPlan plan(MigrationRequest request);

    /**
     * Starts a migration, on threads of the service, as soon as the limits of both hosts allow it; migrations that need
     * the same host start in the order of these calls. The check comes first; findings end the migration with {@link
     * FailureCode#CHECK_FAILED}, or with DEVICE_NOT_FOUND or DEVICE_BUSY where that is all there is to find.
     *
     * @param listener follows it; {@link MigrationListener#NONE} for nobody
     * @throws IllegalStateException when the service is being stopped
     */
    Migration start(MigrationRequest request, MigrationListener listener);

    /** The migrations that have not ended, those that wait for their turn included, oldest first. */
    List<Migration> migrations();

    /**
     * Asks a migration to stop, as {@link Migration#cancel} does.
     *
     * @return false when it is too late, or when no migration under way has this id
     */
    boolean cancel(String migration);

    /** The report of a migration that has ended; empty when there was none or its report is no longer kept. */
    Optional<MigrationReport> report(String migration);

    /** The reports that are still kept, oldest first; how many is configured. */
    List<MigrationReport> reports();

    /**
     * Writes the state of a RUNNING device to a channel. The device is stopped until the channel has taken all of it,
     * however long that is, so give one that does not keep its writer waiting. It is RUNNING again afterwards; after a
     * failure too, as a rule: where it could not go back it was reset, and its state is lost, or it does not run;
     * {@link Failure#following} says which.
     *
     * @param to not closed
     * @return bytes written
     * @throws MigrationException DEVICE_NOT_FOUND, DEVICE_BUSY, TRANSITION_REFUSED, DEVICE_FAILED, PROVIDER_GONE,
     *     IO_FAILED, CANCELLED when the service is being stopped, INTERNAL
     */
    long save(String id, WritableByteChannel to) throws MigrationException;

    /**
     * Loads a saved state into a RUNNING device. It is RUNNING again afterwards: with the new state, or, after any
     * failure, with the state it had. Where that could not be kept or loaded again, it is lost, and where the device
     * could not be reset either, it does not run; {@link Failure#following} says so.
     *
     * @param from read to its end, before the device stops, which is busy meanwhile; not closed
     * @return bytes read
     * @throws MigrationException DEVICE_NOT_FOUND, DEVICE_BUSY, TRANSITION_REFUSED, STREAM_REFUSED, DEVICE_FAILED,
     *     PROVIDER_GONE, IO_FAILED, also when the state that was read, or the one it had, cannot be kept meanwhile, as
     *     it is larger than is configured for example, CANCELLED when the service is being stopped, INTERNAL
     */
    long restore(String id, ReadableByteChannel from) throws MigrationException;
}
