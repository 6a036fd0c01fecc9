// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.Abilities;
import dev.ferry.vfio.backend.internal.device.VfioDriver;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes drivers of devices: opens them, or takes over what was opened elsewhere, and says what was found. The entry for
 * programs that drive devices without a framework. Thread-safe.
 */
public final class DriverFactory {
    private static final Logger LOG = LoggerFactory.getLogger(DriverFactory.class);

    private final SystemCalls calls;
    private final DeviceOpener opener;
    private final DirtyTracking tracking = new DirtyTracking();

    /**
     * A driver and what it stands on.
     *
     * @param open closed with the driver; a lender's own descriptors stay open
     * @param dirtyTracking how dirty pages are tracked and why so, for people
     */
    public record Driven(VfioDriver driver, OpenDevice open, String dirtyTracking) implements AutoCloseable {

        @Override
        public void close() {
            try (open) {
                driver.close();
            }
        }
    }

    /**
     * A factory on a host.
     *
     * @param root where {@code dev} is looked for; {@code /} but in tests
     */
    public DriverFactory(SystemCalls calls, Path root) {
        this.calls = calls;
        this.opener = new DeviceOpener(calls, root);
    }

    /**
     * Opens a device and makes a driver for it.
     *
     * @param id for messages
     * @throws DeviceException with one sentence that says what is missing; nothing stays open then
     */
    public Driven open(
            FoundDevice device,
            String id,
            DeviceOpener.Way way,
            List<DirtyTracking.Way> dirtyTracking,
            IntSupplier dataTimeoutMillis)
            throws DeviceException {
        return drive(opener.open(device, id, way), dirtyTracking, dataTimeoutMillis);
    }

    /**
     * Makes a driver for an open device, which is closed when that fails.
     *
     * @throws DeviceException EOPNOTSUPP when the device cannot be migrated
     */
    public Driven drive(OpenDevice open, List<DirtyTracking.Way> dirtyTracking, IntSupplier dataTimeoutMillis)
            throws DeviceException {
        Driven driven = driven(open, dirtyTracking, dataTimeoutMillis);
        boolean done = false;
        try {
            tellState(driven.driver(), open);
            done = true;
            return driven;
        } finally {
            if (!done) {
                driven.close();
            }
        }
    }

    private Driven driven(OpenDevice open, List<DirtyTracking.Way> dirtyTracking, IntSupplier dataTimeoutMillis)
            throws DeviceException {
        boolean done = false;
        try {
            Abilities abilities = Abilities.of(open.device());
            DirtyTracking.Choice choice =
                    tracking.choose(open.device(), open.space(), calls.pageSize(), dirtyTracking);
            VfioDriver driver = new VfioDriver(open.device(), abilities, choice.tracker(), dataTimeoutMillis);
            LOG.info("{} is open by {}; {}", open.device().name(), open.way(), choice.reason());
            done = true;
            return new Driven(driver, open, choice.reason());
        } finally {
            if (!done) {
                open.close();
            }
        }
    }

    private static void tellState(VfioDriver driver, OpenDevice open) throws DeviceException {
        DeviceState state = driver.state();
        if (state != DeviceState.RUNNING) {
            LOG.warn("{} is in {}, left there by its previous user; reset it or take it to RUNNING before migrating it",
                    open.device().name(), state);
        }
    }
}
