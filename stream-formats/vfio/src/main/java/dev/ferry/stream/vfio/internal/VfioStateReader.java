// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.vfio.internal;

import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamReader;
import dev.ferry.stream.VfioStateRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.osgi.service.component.annotations.Component;

/**
 * Reads what was saved from a Linux VFIO device. The driver that saves and loads it needs newer Java than a tool that
 * looks at it, so this is a bundle of its own. Immutable.
 */
@Component(property = {StreamReader.NAME + "=" + VfioStateReader.NAME, StreamReader.VERSION + ":Integer=1"})
public final class VfioStateReader implements StreamReader {
    static final String NAME = "vfio";

    /** By the first mark; by its beginning where the stream ends in it. */
    @Override
    public boolean recognizes(ByteBuffer head) {
        ByteBuffer begin = head.slice(head.position(), Math.min(head.remaining(), Long.BYTES));
        if (!begin.hasRemaining()) {
            return false;
        }
        for (VfioStateRecord record : VfioStateRecord.values()) {
            ByteBuffer mark = ByteBuffer.allocate(Long.BYTES).putLong(0, record.mark());
            if (begin.mismatch(mark.limit(begin.remaining())) < 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public StreamInspection inspect(ReadableByteChannel from) throws IOException {
        return new StateInspection(from).inspect();
    }
}
