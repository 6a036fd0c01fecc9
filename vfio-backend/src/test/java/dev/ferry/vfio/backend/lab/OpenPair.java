// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.contract.DriverSubject;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.DriverFactory;
import java.io.IOException;

/** Two devices that are opened as the bundle opens them, for one check of the vendor contract. */
public final class OpenPair implements DriverSubject {
    private final DriverFactory.Driven source;
    private final DriverFactory.Driven destination;

    /** Opens a device. */
    @FunctionalInterface
    public interface Opener {
        /** Opens the device of a name. */
        DriverFactory.Driven open(String name) throws IOException;
    }

    /** Opens both, or none. */
    public OpenPair(Opener opener, String first, String second) throws IOException {
        source = opener.open(first);
        try {
            destination = opener.open(second);
        } catch (IOException | RuntimeException e) {
            source.close();
            throw e;
        }
    }

    @Override
    public MigrationDriver source() {
        return source.driver();
    }

    @Override
    public MigrationDriver destination() {
        return destination.driver();
    }

    @Override
    public void close() {
        source.close();
        destination.close();
    }
}
