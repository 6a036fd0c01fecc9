// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.fake;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDecoder;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordEncoder;
import dev.ferry.stream.StreamFormat;
import dev.ferry.stream.StreamInspection;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** The least stream format: images one behind the other; loads every write as one image, an empty one never ends. */
public final class PlainFormat implements StreamFormat {
    private static final int MOST_BYTES = 1 << 20;

    /** What the last session was opened with. */
    public RecordDevice device;

    @Override
    public RecordEncoder encoder(RecordDevice recordDevice) {
        device = recordDevice;
        return new RecordEncoder() {
            private final ByteArrayOutputStream queue = new ByteArrayOutputStream();
            private int read;

            @Override
            public long capture() throws DeviceException {
                long size = recordDevice.imageSize();
                if (size > MOST_BYTES) {
                    throw new DeviceException(Errno.ENOMEM, "an image of " + size + " bytes is too large");
                }
                ByteBuffer image = ByteBuffer.allocate((int) size);
                recordDevice.captureImage(image);
                queue.write(image.array(), 0, image.position());
                return image.position();
            }

            @Override
            public int read(ByteBuffer into) {
                int count = (int) Math.min(queuedBytes(), into.remaining());
                into.put(queue.toByteArray(), read, count);
                read += count;
                return count;
            }

            @Override
            public long queuedBytes() {
                return queue.size() - (long) read;
            }

            @Override
            public long readBytes() {
                return read;
            }
        };
    }

    @Override
    public RecordDecoder decoder(RecordDevice recordDevice) {
        device = recordDevice;
        return new RecordDecoder() {
            private boolean loaded;

            @Override
            public void write(ByteBuffer from) throws DeviceException {
                recordDevice.loadImage(from);
                from.position(from.limit());
                loaded = true;
            }

            @Override
            public void requireComplete() throws DeviceException {
                if (!loaded) {
                    throw new DeviceException(Errno.ENOMSG, "nothing was loaded");
                }
            }
        };
    }

    @Override
    public boolean recognizes(ByteBuffer head) {
        return false;
    }

    @Override
    public StreamInspection inspect(ReadableByteChannel from) {
        throw new UnsupportedOperationException();
    }
}
