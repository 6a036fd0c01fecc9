// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;

/**
 * Drives a function as an operating system would: finds everything by configuration space, uses nothing but registers,
 * memory and interrupts. All offsets are typed in from the specifications.
 */
final class TestDriver implements InterruptListener {

    static final long BASE = 0x10_0000;
    static final int QUEUE_AREA = 0x4000;
    static final int BUFFERS = 0x4_0000;
    static final int MEMORY = 0x40_0000;
    static final long MSG_ADDRESS = 0xFEE0_0000L;
    static final int NO_VECTOR = 0xFFFF;

    static final int DEVICE_FEATURE_SELECT = 0;
    static final int DEVICE_FEATURE = 4;
    static final int DRIVER_FEATURE_SELECT = 8;
    static final int DRIVER_FEATURE = 12;
    static final int CONFIG_MSIX_VECTOR = 16;
    static final int NUM_QUEUES = 18;
    static final int DEVICE_STATUS = 20;
    static final int CONFIG_GENERATION = 21;
    static final int QUEUE_SELECT = 22;
    static final int QUEUE_SIZE = 24;
    static final int QUEUE_MSIX_VECTOR = 26;
    static final int QUEUE_ENABLE = 28;
    static final int QUEUE_NOTIFY_OFF = 30;
    static final int QUEUE_DESC = 32;
    static final int QUEUE_DRIVER = 40;
    static final int QUEUE_DEVICE = 48;
    static final int QUEUE_RESET = 58;

    /** Where a virtio structure is. */
    record Place(int bar, long offset, int length) {}

    final PciFunction function;
    final ByteBuffer memory;
    final DmaSpace dma = new DmaSpace();
    final TreeMap<Integer, TestQueue> queues = new TreeMap<>();
    final List<Integer> interrupts = Collections.synchronizedList(new ArrayList<>());
    volatile String lastMessage = "none";
    final Place common;
    final Place notify;
    final Place isr;
    final Place device;
    final int multiplier;
    final int msixCap;
    final int expressCap;
    final Place table;
    final Place pending;
    private boolean packed;
    private int nextBuffer = BUFFERS;

    TestDriver(PciFunction function) {
        this(function, ByteBuffer.allocateDirect(MEMORY));
    }

    private TestDriver(PciFunction function, ByteBuffer memory) {
        this.function = function;
        this.memory = memory.order(ByteOrder.LITTLE_ENDIAN);
        dma.map(BASE, this.memory.duplicate(), DmaSpace.Access.READ_WRITE);
        function.attach(dma, this);
        common = place(virtioCap(1));
        notify = place(virtioCap(2));
        multiplier = (int) function.readConfig(virtioCap(2) + 16, 4);
        isr = place(virtioCap(3));
        device = place(virtioCap(4));
        msixCap = capability(0x11);
        expressCap = capability(0x10);
        table = msixPlace(4);
        pending = msixPlace(8);
        function.writeConfig(0x04, 2, 0x0006);
    }

    /** A driver of another function that goes on with a copy of this one's memory. */
    TestDriver movedTo(PciFunction destination) {
        // Heap memory, so that both kinds are driven.
        ByteBuffer copy = ByteBuffer.allocate(MEMORY);
        copy.put(0, memory, 0, MEMORY);
        TestDriver moved = new TestDriver(destination, copy);
        queues.values().forEach(queue -> moved.queues.put(queue.index, queue.movedTo(moved)));
        moved.packed = packed;
        moved.nextBuffer = nextBuffer;
        moved.enableMsix();
        return moved;
    }

    int capability(int id) {
        for (int at = (int) function.readConfig(0x34, 1); at != 0; at = (int) function.readConfig(at + 1, 1)) {
            if (function.readConfig(at, 1) == id) {
                return at;
            }
        }
        throw new AssertionError("no capability " + id);
    }

    int virtioCap(int cfgType) {
        for (int at = (int) function.readConfig(0x34, 1); at != 0; at = (int) function.readConfig(at + 1, 1)) {
            if (function.readConfig(at, 1) == 0x09 && function.readConfig(at + 3, 1) == cfgType) {
                return at;
            }
        }
        throw new AssertionError("no virtio capability " + cfgType);
    }

    private Place place(int cap) {
        return new Place(
                (int) function.readConfig(cap + 4, 1),
                function.readConfig(cap + 8, 4),
                (int) function.readConfig(cap + 12, 4));
    }

    private Place msixPlace(int offset) {
        long value = function.readConfig(msixCap + offset, 4);
        return new Place((int) (value & 7), value & ~7L, 0);
    }

    long read(int offset, int size) {
        return function.readBar(common.bar(), common.offset() + offset, size);
    }

    void write(int offset, int size, long value) {
        function.writeBar(common.bar(), common.offset() + offset, size, value);
    }

    long readDevice(int offset, int size) {
        return function.readBar(device.bar(), device.offset() + offset, size);
    }

    void notify(int queue) {
        write(QUEUE_SELECT, 2, queue);
        long offset = notify.offset() + read(QUEUE_NOTIFY_OFF, 2) * multiplier;
        function.writeBar(notify.bar(), offset, 2, queue);
    }

    long offeredFeatures() {
        write(DEVICE_FEATURE_SELECT, 4, 0);
        long low = read(DEVICE_FEATURE, 4);
        write(DEVICE_FEATURE_SELECT, 4, 1);
        return read(DEVICE_FEATURE, 4) << 32 | low;
    }

    void takeFeatures(long features) {
        write(DRIVER_FEATURE_SELECT, 4, 0);
        write(DRIVER_FEATURE, 4, features & 0xFFFF_FFFFL);
        write(DRIVER_FEATURE_SELECT, 4, 1);
        write(DRIVER_FEATURE, 4, features >>> 32);
    }

    /** Takes the device into use with vectors 1.. for queues 0.., and 0 for the configuration. */
    TestDriver start(long features, int queueSize) {
        write(DEVICE_STATUS, 1, 0);
        write(DEVICE_STATUS, 1, 1);
        write(DEVICE_STATUS, 1, 3);
        takeFeatures(features);
        packed = (features & 1L << 34) != 0;
        write(DEVICE_STATUS, 1, 11);
        if (read(DEVICE_STATUS, 1) != 11) {
            throw new AssertionError("features 0x%x were refused".formatted(features));
        }
        enableMsix();
        write(CONFIG_MSIX_VECTOR, 2, 0);
        for (int i = 0; i < read(NUM_QUEUES, 2); i++) {
            enableQueue(i, queueSize, i + 1);
        }
        write(DEVICE_STATUS, 1, 15);
        return this;
    }

    void enableMsix() {
        function.writeConfig(msixCap + 2, 2, 0x8000);
        int vectors = ((int) function.readConfig(msixCap + 2, 2) & 0x7FF) + 1;
        for (int i = 0; i < vectors; i++) {
            long entry = table.offset() + 16L * i;
            function.writeBar(table.bar(), entry, 4, MSG_ADDRESS);
            function.writeBar(table.bar(), entry + 4, 4, 0);
            function.writeBar(table.bar(), entry + 8, 4, 0x40 + i);
            function.writeBar(table.bar(), entry + 12, 4, 0);
        }
    }

    TestQueue enableQueue(int index, int size, int vector) {
        long area = BASE + (long) index * QUEUE_AREA;
        TestQueue queue =
                packed ? new TestPackedQueue(this, index, size, area) : new TestQueue(this, index, size, area);
        for (int i = 0; i < QUEUE_AREA; i++) {
            memory.put(index * QUEUE_AREA + i, (byte) 0);
        }
        queues.put(index, queue);
        write(QUEUE_SELECT, 2, index);
        write(QUEUE_SIZE, 2, size);
        write(QUEUE_MSIX_VECTOR, 2, vector);
        write64(QUEUE_DESC, queue.desc);
        write64(QUEUE_DRIVER, queue.avail);
        write64(QUEUE_DEVICE, queue.used);
        write(QUEUE_ENABLE, 2, 1);
        return queue;
    }

    void write64(int offset, long value) {
        write(offset, 4, value & 0xFFFF_FFFFL);
        write(offset + 4, 4, value >>> 32);
    }

    TestQueue queue(int index) {
        return queues.get(index);
    }

    /** Index of a guest address in the memory. */
    int at(long iova) {
        return (int) (iova - BASE);
    }

    /** A piece of memory that nothing else uses. */
    long buffer(int bytes) {
        int at = nextBuffer;
        nextBuffer += bytes + 63 & ~63;
        if (nextBuffer > MEMORY) {
            throw new AssertionError("out of guest memory");
        }
        return BASE + at;
    }

    long bufferOf(byte[] content) {
        long iova = buffer(content.length);
        memory.put(at(iova), content);
        return iova;
    }

    byte[] bytes(long iova, int length) {
        byte[] content = new byte[length];
        memory.get(at(iova), content);
        return content;
    }

    /** Transmits a frame behind a zero header of 12 bytes, in one descriptor. */
    void transmit(int queue, byte[] frame) {
        byte[] packet = new byte[12 + frame.length];
        System.arraycopy(frame, 0, packet, 12, frame.length);
        queue(queue).add(TestQueue.Part.out(bufferOf(packet), packet.length));
        queue(queue).kick();
    }

    /** Performs a control command; returns the answer byte. */
    int control(int queue, int controlClass, int command, byte... data) {
        byte[] readable = new byte[2 + data.length];
        readable[0] = (byte) controlClass;
        readable[1] = (byte) command;
        System.arraycopy(data, 0, readable, 2, data.length);
        long ack = bufferOf(new byte[] {(byte) 0xEE});
        queue(queue).add(TestQueue.Part.out(bufferOf(readable), readable.length), TestQueue.Part.in(ack, 1));
        queue(queue).kick();
        queue(queue).takeUsed();
        return memory.get(at(ack));
    }

    @Override
    public void messageSignalled(int vector, long address, int data) {
        lastMessage = "%d: 0x%x = 0x%x".formatted(vector, address, data);
        interrupts.add(vector);
    }
}
