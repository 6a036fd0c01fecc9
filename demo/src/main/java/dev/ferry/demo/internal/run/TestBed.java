// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.emulator.control.NetworkPort.FrameSink;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.emulator.guest.VirtioNetGuest;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationService;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The guest at both ends, with the ports connected; when it is closed both VFs are as they were before: reset, RUNNING,
 * nobody's. Used by one thread.
 */
final class TestBed implements Closeable {

    private static final FrameSink NOBODY = frame -> {};

    private final MigrationService service;
    private final Vf sourceVf;
    private final Vf destinationVf;
    private final Consumer<String> progress;
    private final VirtioNetGuest source;
    private final VirtioNetGuest destination;

    /** Boots the guest at the source, and puts an empty shell at the destination. */
    TestBed(MigrationService service, Vf source, Vf destination, Recorder recorder, Consumer<String> progress)
            throws IOException {
        this.service = service;
        this.sourceVf = source;
        this.destinationVf = destination;
        this.progress = progress;
        connect(recorder.at(Side.SOURCE), recorder.at(Side.DESTINATION));
        try {
            this.source = VirtioNetGuest.boot(source.function(), GuestRam.allocate());
            this.destination = VirtioNetGuest.attach(destination.function(), GuestRam.allocate());
        } catch (IOException | RuntimeException e) {
            connect(NOBODY, NOBODY);
            throw e;
        }
    }

    private void connect(FrameSink atSource, FrameSink atDestination) {
        sourceVf.port().connect(atSource);
        destinationVf.port().connect(atDestination);
    }

    VirtioNetGuest source() {
        return source;
    }

    VirtioNetGuest destination() {
        return destination;
    }

    /** Why the guest stopped by itself; empty usually. */
    Optional<String> guestFailure() {
        return source.failure().or(destination::failure);
    }

    @Override
    public void close() throws IOException {
        // The guests reset their devices while the source is still stopped, so that it has nothing to do when it runs.
        try (source) {
            destination.close();
        } finally {
            run(sourceVf);
            run(destinationVf);
            connect(NOBODY, NOBODY);
        }
    }

    private void run(Vf vf) {
        try {
            service.setState(vf.id(), DeviceState.RUNNING);
        } catch (MigrationException e) {
            progress.accept(vf.id() + " could not be brought back to RUNNING: " + e.getMessage());
        }
    }
}
