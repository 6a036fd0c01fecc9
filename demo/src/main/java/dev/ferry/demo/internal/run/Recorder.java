// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.demo.internal.pcap.PcapWriter;
import dev.ferry.demo.internal.traffic.Frame;
import dev.ferry.emulator.control.NetworkPort.FrameSink;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Takes the frames that come out of the guest at either end: into the ledger, and into a file. Thread-safe. */
final class Recorder implements Closeable {

    private static final Frame UNKNOWN = new Frame(0, 0, 0, ByteBuffer.allocate(0));

    private final FrameLedger ledger;
    private final Optional<PcapWriter> file;
    private IOException failure;

    Recorder(FrameLedger ledger, Optional<PcapWriter> file) {
        this.ledger = ledger;
        this.file = file;
    }

    /** What to connect to the port of one end. */
    FrameSink at(Side side) {
        return frame -> transmitted(side, frame);
    }

    private synchronized void transmitted(Side side, ByteBuffer bytes) {
        Optional<Frame> sent = ledger.out(side, bytes);
        if (file.isPresent() && failure == null) {
            try {
                file.get().write(sent.orElse(UNKNOWN), bytes);
            } catch (IOException e) {
                failure = e;
            }
        }
    }

    /** Closes the file; throws what went wrong with it since the beginning. */
    @Override
    public synchronized void close() throws IOException {
        if (file.isPresent()) {
            file.get().close();
        }
        if (failure != null) {
            throw new IOException("the file of frames could not be written: " + failure.getMessage(), failure);
        }
    }
}
