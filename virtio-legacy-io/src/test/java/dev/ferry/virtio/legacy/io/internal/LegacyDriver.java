// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.legacy.LegacyIo;
import java.io.UncheckedIOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The network driver of an old guest: it knows virtio 0.9.5 and ports, and sends every frame it receives out again. All
 * offsets are typed in from that text; everything it knows of its rings is in its memory, so that a copy of the memory
 * goes on elsewhere.
 *
 * <p>Page 0 of a queue's area on: descriptors, available ring, used ring on the next page. Buffer i of the receive
 * queue is frame buffer i; the transmit queue uses the same numbers.
 */
final class LegacyDriver {

    static final long BASE = 0x4000_0000L;
    static final int MEMORY = 0x10_0000;
    static final int HEADER = 10;

    private static final int QUEUE_AREA = 0x8000;
    private static final int BUFFERS_AT = 0x2_0000;
    private static final int BUFFER = 2048;
    private static final int BUFFERS = 32;
    /** Where the driver keeps its own numbers: last used index of each queue. */
    private static final int VARIABLES_AT = 0x1_F000;

    private final LegacyIo io;
    final ByteBuffer memory;
    private final int configOffset;

    LegacyDriver(LegacyIo io, ByteBuffer memory, boolean msix) {
        this.io = io;
        this.memory = memory.order(ByteOrder.LITTLE_ENDIAN);
        this.configOffset = msix ? 24 : 20;
    }

    long in(int port, int size) {
        try {
            return io.readBar0(port, size);
        } catch (DeviceException e) {
            throw new UncheckedIOException(e);
        }
    }

    void out(int port, int size, long value) {
        try {
            io.writeBar0(port, size, value);
        } catch (DeviceException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The address, byte by byte as Linux reads it. */
    byte[] mac() {
        byte[] mac = new byte[6];
        for (int i = 0; i < mac.length; i++) {
            mac[i] = (byte) in(configOffset + i, 1);
        }
        return mac;
    }

    int linkStatus() {
        return (int) (in(configOffset + 6, 1) | in(configOffset + 7, 1) << 8);
    }

    /** Takes the device into use; both queues have their vectors when there is MSI-X. */
    void start(long features) {
        out(18, 1, 0);
        out(18, 1, 1);
        out(18, 1, 3);
        if ((in(0, 4) & features) != features) {
            throw new AssertionError("not offered: 0x%x of 0x%x".formatted(features, in(0, 4)));
        }
        out(4, 4, features);
        if (configOffset == 24) {
            out(20, 2, 0);
        }
        for (int queue = 0; queue < 2; queue++) {
            setUp(queue);
        }
        out(18, 1, 7);
        for (int i = 0; i < BUFFERS; i++) {
            post(i);
        }
        out(16, 2, 0);
    }

    private void setUp(int queue) {
        out(14, 2, queue);
        if (in(8, 4) != 0) {
            throw new AssertionError("queue " + queue + " is in use already");
        }
        if (in(12, 2) != 256) {
            throw new AssertionError("a queue of " + in(12, 2));
        }
        memory.put(queue * QUEUE_AREA, new byte[QUEUE_AREA]);
        out(8, 4, BASE + (long) queue * QUEUE_AREA >> 12);
        if (configOffset == 24) {
            out(22, 2, queue + 1);
            if (in(22, 2) != queue + 1) {
                throw new AssertionError("no vector for queue " + queue);
            }
        }
    }

    private static int buffer(int i) {
        return BUFFERS_AT + i * BUFFER;
    }

    private void descriptor(int queue, int i, int length, int flags) {
        int at = queue * QUEUE_AREA + 16 * i;
        memory.putLong(at, BASE + buffer(i)).putInt(at + 8, length);
        memory.putShort(at + 12, (short) flags).putShort(at + 14, (short) 0);
    }

    private void makeAvailable(int queue, int i) {
        int avail = queue * QUEUE_AREA + 256 * 16;
        int index = Short.toUnsignedInt(memory.getShort(avail + 2));
        memory.putShort(avail + 4 + 2 * (index % 256), (short) i);
        VarHandle.releaseFence();
        memory.putShort(avail + 2, (short) (index + 1));
    }

    private void post(int i) {
        descriptor(0, i, BUFFER, 2);
        makeAvailable(0, i);
    }

    /** Next used element of a queue as {id, length}; null when there is none. */
    private int[] takeUsed(int queue) {
        int used = queue * QUEUE_AREA + 0x2000;
        int last = Short.toUnsignedInt(memory.getShort(VARIABLES_AT + 2 * queue));
        if (Short.toUnsignedInt(memory.getShort(used + 2)) == last) {
            return null;
        }
        VarHandle.acquireFence();
        memory.putShort(VARIABLES_AT + 2 * queue, (short) (last + 1));
        int at = used + 4 + 8 * (last % 256);
        return new int[] {memory.getInt(at), memory.getInt(at + 4)};
    }

    /** What an interrupt handler does: sends out what came in, gives back what was sent. */
    void handle() {
        boolean sent = false;
        for (int[] used = takeUsed(0); used != null; used = takeUsed(0)) {
            memory.put(buffer(used[0]), new byte[HEADER]);
            descriptor(1, used[0], used[1], 0);
            makeAvailable(1, used[0]);
            sent = true;
        }
        if (sent) {
            out(16, 2, 1);
        }
        boolean posted = false;
        for (int[] used = takeUsed(1); used != null; used = takeUsed(1)) {
            post(used[0]);
            posted = true;
        }
        if (posted) {
            out(16, 2, 0);
        }
    }

    /** Sets up the control queue, before {@link #start} is over for it: index 2 with one queue pair. */
    void setUpControlQueue() {
        setUp(2);
    }

    /** Performs a control command; returns the answer byte. */
    int control(int commandClass, int command, int value) {
        int readable = buffer(BUFFERS);
        memory.put(readable, (byte) commandClass).put(readable + 1, (byte) command).put(readable + 2, (byte) value);
        memory.put(buffer(BUFFERS + 1), (byte) 0xEE);
        descriptor(2, BUFFERS, 3, 1);
        memory.putShort(2 * QUEUE_AREA + 16 * BUFFERS + 14, (short) (BUFFERS + 1));
        descriptor(2, BUFFERS + 1, 1, 2);
        makeAvailable(2, BUFFERS);
        out(16, 2, 2);
        return memory.get(buffer(BUFFERS + 1));
    }

    /** An interrupt line that is shared: whether the device has interrupted, by its ISR status. */
    boolean poll() {
        if ((in(19, 1) & 1) == 0) {
            return false;
        }
        handle();
        return true;
    }
}
