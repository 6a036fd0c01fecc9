// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDevice;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A device that gives the image it is told to and keeps what is loaded into it. */
final class FakeDevice implements RecordDevice {

    byte[] image = new byte[0];
    int imageTag;
    long announcedSize = -1;
    Errno captureFails;
    Errno loadFails;
    final List<byte[]> loaded = new ArrayList<>();
    final List<ByteBuffer> captureBuffers = new ArrayList<>();
    ByteBuffer lastLoad;

    FakeDevice() {}

    FakeDevice(byte[] image) {
        this.image = image;
    }

    @Override
    public int imageTag() {
        return imageTag;
    }

    @Override
    public long imageSize() {
        return announcedSize < 0 ? image.length : announcedSize;
    }

    @Override
    public void captureImage(ByteBuffer into) throws DeviceException {
        captureBuffers.add(into);
        if (captureFails != null) {
            throw new DeviceException(captureFails, "told to fail");
        }
        into.put(image);
    }

    @Override
    public void loadImage(ByteBuffer parts) throws DeviceException {
        if (loadFails != null) {
            throw new DeviceException(loadFails, "told to fail");
        }
        lastLoad = parts;
        loaded.add(Bytes.of(parts));
    }

    @Override
    public void execute(int opcode, ByteBuffer data, ByteBuffer result) {
        throw new UnsupportedOperationException();
    }
}
