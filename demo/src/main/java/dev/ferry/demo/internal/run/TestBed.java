// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.emulator.control.NetworkPort.FrameSink;
import dev.ferry.emulator.guest.GuestOptions;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationService;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The guest at both ends, with the ports connected; when it is closed all VFs are as they were before: reset, RUNNING,
 * nobody's. Used by one thread.
 */
final class TestBed implements Closeable {

    private static final FrameSink NOBODY = frame -> {};

    private final MigrationService service;
    private final List<Lane> lanes;
    private final Consumer<String> progress;
    private final Machine source;
    private final Machine destination;

    /** Boots the guest at the sources, and puts an empty shell at the destinations. */
    TestBed(MigrationService service, List<Lane> lanes, GuestOptions options, Consumer<String> progress)
            throws IOException {
        this.service = service;
        this.lanes = lanes;
        this.progress = progress;
        lanes.forEach(lane -> {
            lane.vfs().source().port().connect(lane.recorder().at(Side.SOURCE));
            lane.vfs().destination().port().connect(lane.recorder().at(Side.DESTINATION));
        });
        try {
            this.source = Machine.boot(lanes.stream().map(lane -> lane.vfs().source()).toList(), options);
        } catch (IOException | RuntimeException e) {
            disconnect();
            throw e;
        }
        try {
            this.destination =
                    Machine.attach(lanes.stream().map(lane -> lane.vfs().destination()).toList());
        } catch (IOException | RuntimeException e) {
            disconnect();
            closeSourceAfter(e);
            throw e;
        }
    }

    private void closeSourceAfter(Exception first) {
        try {
            source.close();
        } catch (IOException e) {
            first.addSuppressed(e);
        }
    }

    private void disconnect() {
        lanes.forEach(lane -> {
            lane.vfs().source().port().connect(NOBODY);
            lane.vfs().destination().port().connect(NOBODY);
        });
    }

    Machine source() {
        return source;
    }

    Machine destination() {
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
            lanes.forEach(lane -> {
                run(lane.vfs().source());
                run(lane.vfs().destination());
            });
            disconnect();
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
