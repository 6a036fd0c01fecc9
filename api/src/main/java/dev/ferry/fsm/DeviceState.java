// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The eight device states, {@code enum vfio_device_mig_state}, in the order of their numbers.
 *
 * <p>A device that was just opened or reset is {@link #RUNNING}. Immutable.
 *
 * @see <a href="https://docs.kernel.org/driver-api/vfio.html">Linux: include/uapi/linux/vfio.h, enum
 *     vfio_device_mig_state</a>
 */
public enum DeviceState {
    /** The device failed and its content is undefined; only a reset leads out. Can never be asked for. */
    ERROR(0, false),
    /** No DMA, no interrupts, no change of state; configuration accesses are still answered. */
    STOP(1, false, MigrationFeature.STOP_COPY),
    /** Normal operation. */
    RUNNING(2, true),
    /** As {@link #STOP}, and the state is read through a saving session that ends for good. */
    STOP_COPY(3, false, MigrationFeature.STOP_COPY),
    /** As {@link #STOP}, and a new state is written through a resuming session. */
    RESUMING(4, false, MigrationFeature.STOP_COPY),
    /** Accepts accesses but starts no peer-to-peer DMA (a device that cannot tell starts no DMA at all). */
    RUNNING_P2P(5, false, MigrationFeature.STOP_COPY, MigrationFeature.P2P),
    /** As {@link #RUNNING}, and the state can already be read; a saving session is open. */
    PRE_COPY(6, true, MigrationFeature.STOP_COPY, MigrationFeature.PRE_COPY),
    /** As {@link #RUNNING_P2P}, and a saving session is open. */
    PRE_COPY_P2P(7, false, MigrationFeature.STOP_COPY, MigrationFeature.P2P, MigrationFeature.PRE_COPY);

    private final int number;
    private final boolean running;
    private final Set<MigrationFeature> requires;

    DeviceState(int number, boolean running, MigrationFeature... requires) {
        this.number = number;
        this.running = running;
        Set<MigrationFeature> required = EnumSet.noneOf(MigrationFeature.class);
        Collections.addAll(required, requires);
        this.requires = Collections.unmodifiableSet(required);
    }

    /** The number of the kernel header, 0 to 7; equal to the position in {@link #values()}. */
    public int number() {
        return number;
    }

    /** The features a device must have for this state to exist; empty for ERROR and RUNNING. */
    public Set<MigrationFeature> requires() {
        return requires;
    }

    /**
     * Whether a device with these features can be asked to go here. ERROR never; RUNNING always.
     *
     * @param features the features of the device
     */
    public boolean isSupportedBy(Set<MigrationFeature> features) {
        return this != ERROR && features.containsAll(requires);
    }

    /** Whether the guest may use the device: RUNNING and PRE_COPY. */
    public boolean isRunning() {
        return running;
    }

    /** Whether a saving session is open: STOP_COPY, PRE_COPY and PRE_COPY_P2P. */
    public boolean isSaving() {
        return this == STOP_COPY || this == PRE_COPY || this == PRE_COPY_P2P;
    }

    /** Whether a data transfer session of either direction is open. */
    public boolean hasSession() {
        return isSaving() || this == RESUMING;
    }

    /**
     * The state with a kernel number.
     *
     * @return empty for a number that is not 0 to 7
     */
    public static Optional<DeviceState> ofNumber(int number) {
        DeviceState[] states = values();
        return number < 0 || number >= states.length ? Optional.empty() : Optional.of(states[number]);
    }
}
