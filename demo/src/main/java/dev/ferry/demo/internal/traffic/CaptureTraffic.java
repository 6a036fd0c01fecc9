// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.traffic;

import dev.ferry.demo.internal.pcap.PcapException;
import dev.ferry.demo.internal.pcap.PcapReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The frames of a capture file, each once, in the order of the file. Immutable; the file is read in each pass. */
public final class CaptureTraffic implements Traffic {

    private final Path file;
    private final long count;
    private final boolean nanoseconds;

    private CaptureTraffic(Path file, long count, boolean nanoseconds) {
        this.file = file;
        this.count = count;
        this.nanoseconds = nanoseconds;
    }

    /**
     * Reads a file once to its end, so that what is wrong with it is known before anything is sent.
     *
     * @throws PcapException when it is not a capture that can be used
     */
    public static CaptureTraffic of(Path file) throws IOException {
        try (PcapReader reader = PcapReader.open(file)) {
            long count = 0;
            while (reader.next().isPresent()) {
                count++;
            }
            if (count == 0) {
                throw new PcapException(file + " holds no frames");
            }
            return new CaptureTraffic(file, count, reader.nanoseconds());
        }
    }

    @Override
    public long count() {
        return count;
    }

    @Override
    public boolean nanoseconds() {
        return nanoseconds;
    }

    @Override
    public String description() {
        return count + " frames of " + file;
    }

    @Override
    public Frames open() throws IOException {
        PcapReader reader = PcapReader.open(file);
        return new Frames() {
            @Override
            public Optional<Frame> next() throws IOException {
                return reader.next();
            }

            @Override
            public void close() throws IOException {
                reader.close();
            }
        };
    }
}
