// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDecoder;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordEncoder;
import dev.ferry.stream.StreamFormat;
import dev.ferry.stream.StreamInspection;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** The least stream format: one image at a time; every write is one whole image. */
final class PassThrough implements StreamFormat {

    RecordDevice device;

    @Override
    public RecordEncoder encoder(RecordDevice of) {
        device = of;
        return new RecordEncoder() {
            private ByteBuffer queued = ByteBuffer.allocate(0);
            private long read;

            @Override
            public long capture() throws DeviceException {
                ByteBuffer image = ByteBuffer.allocate((int) of.imageSize());
                of.captureImage(image);
                queued = image.flip();
                return queued.remaining();
            }

            @Override
            public int read(ByteBuffer into) {
                int count = queued.remaining();
                into.put(queued);
                read += count;
                return count;
            }

            @Override
            public long queuedBytes() {
                return queued.remaining();
            }

            @Override
            public long readBytes() {
                return read;
            }
        };
    }

    @Override
    public RecordDecoder decoder(RecordDevice of) {
        device = of;
        return new RecordDecoder() {
            private boolean loaded;

            @Override
            public void write(ByteBuffer from) throws DeviceException {
                of.loadImage(from);
                from.position(from.limit());
                loaded = true;
            }

            @Override
            public void requireComplete() throws DeviceException {
                if (!loaded) {
                    throw new DeviceException(Errno.EINVAL, "nothing was loaded");
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
