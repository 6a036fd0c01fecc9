// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamException;
import dev.ferry.stream.StreamInspection.Part;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A record type of a vendor. */
final class FakeRecordType implements RecordType {

    final List<byte[]> loaded = new ArrayList<>();
    Optional<ByteBuffer> saves = Optional.empty();
    StreamException refuses;
    RuntimeException breaks;
    RuntimeException nameBreaks;
    int parts = 1;
    int partsTaken;

    @Override
    public String name() {
        if (nameBreaks != null) {
            throw nameBreaks;
        }
        return "VENDOR_COUNTERS";
    }

    @Override
    public int flags() {
        return RecordHeader.FLAG_OPTIONAL;
    }

    @Override
    public Optional<ByteBuffer> save(RecordDevice device) {
        if (breaks != null) {
            throw breaks;
        }
        return saves;
    }

    @Override
    public void load(ByteBuffer payload, RecordDevice device) throws DeviceException {
        if (breaks != null) {
            throw breaks;
        }
        if (refuses != null) {
            throw refuses;
        }
        loaded.add(Bytes.of(payload));
    }

    @Override
    public void describe(ByteBuffer payload, List<Part> found) throws StreamException {
        for (partsTaken = 0; partsTaken < parts; partsTaken++) {
            found.add(new Part(1, 5, "COUNTER", 0, 0, payload.remaining(), "many"));
        }
        if (refuses != null) {
            throw refuses;
        }
    }
}
