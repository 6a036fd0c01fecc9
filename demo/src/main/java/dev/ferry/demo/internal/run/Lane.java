// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.demo.internal.traffic.Traffic;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** The traffic of one VF: what is sent through it, and what becomes of it. Sending is for one thread at a time. */
final class Lane implements Closeable {

    private static final Duration STALL_LIMIT = Duration.ofSeconds(30);
    private static final Duration RECORD_LIMIT = Duration.ofSeconds(10);

    private final VfPair vfs;
    private final Traffic traffic;
    private final FrameLedger ledger = new FrameLedger();
    private final Recorder recorder;
    private EmulatedNetwork network;
    private Traffic.Frames frames;
    private Sender sender;

    /**
     * A lane that records and sends nothing yet.
     *
     * @param out file for the frames that come out of the guest
     */
    Lane(VfPair vfs, Traffic traffic, Optional<Path> out) {
        this.vfs = vfs;
        this.traffic = traffic;
        this.recorder = new Recorder(ledger, out, traffic.nanoseconds(), RECORD_LIMIT);
    }

    VfPair vfs() {
        return vfs;
    }

    Recorder recorder() {
        return recorder;
    }

    /** Puts the network in front of the guest, which is there now. */
    void open(Duration trafficTime) throws IOException {
        network = new EmulatedNetwork(
                vfs.source().port(), (frame, delivery) -> ledger.refused(frame), ledger::fail);
        frames = traffic.open();
        sender = new Sender(frames, traffic.count(), ledger, network, trafficTime, STALL_LIMIT);
    }

    Sender sender() {
        return sender;
    }

    /** The switchover begins: frames have to wait. */
    void switchoverBegins() {
        network.switchoverBegins();
    }

    /** The guest is at the destination. */
    void follow() {
        network.follow(vfs.destination().port());
    }

    /** What became of its frames; final once this is closed. */
    DemoReport.Flow flow() {
        return new DemoReport.Flow(
                vfs.source().id(), vfs.destination().id(), ledger.counts(), network == null ? 0 : network.waited());
    }

    /** Takes the network away, so that nothing more reaches the guest. */
    void closeNetwork() throws IOException {
        if (network != null) {
            network.close();
        }
        if (frames != null) {
            frames.close();
        }
    }

    /** Waits until all that came out is recorded. */
    @Override
    public void close() throws IOException {
        recorder.close();
    }
}
