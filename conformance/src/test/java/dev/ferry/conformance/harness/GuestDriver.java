// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * A virtio-net driver of a few lines with a memory of its own, for tests that look at every byte of it. One queue pair
 * and the control queue; vector 0 for the configuration, vector n + 1 for queue n.
 */
public final class GuestDriver implements InterruptListener {

    /** Field offsets of the common configuration. */
    public static final int DEVICE_FEATURE_SELECT = 0;
    public static final int DEVICE_FEATURE = 4;
    public static final int DRIVER_FEATURE_SELECT = 8;
    public static final int DRIVER_FEATURE = 12;
    public static final int CONFIG_MSIX_VECTOR = 16;
    public static final int NUM_QUEUES = 18;
    public static final int DEVICE_STATUS = 20;
    public static final int CONFIG_GENERATION = 21;
    public static final int QUEUE_SELECT = 22;
    public static final int QUEUE_SIZE = 24;
    public static final int QUEUE_MSIX_VECTOR = 26;
    public static final int QUEUE_ENABLE = 28;
    public static final int QUEUE_NOTIFY_OFF = 30;
    public static final int QUEUE_DESC = 32;
    public static final int QUEUE_DRIVER = 40;
    public static final int QUEUE_DEVICE = 48;

    /** Queues of a function with one pair. */
    public static final int RECEIVE = 0;
    public static final int TRANSMIT = 1;
    public static final int CONTROL = 2;

    /** VERSION_1 and ACCESS_PLATFORM, CTRL_VQ, CTRL_RX, CTRL_VLAN, CTRL_RX_EXTRA, CTRL_MAC_ADDR, MAC, MRG_RXBUF. */
    public static final long FEATURES = 1L << 32 | 1L << 33 | 1L << 17 | 1L << 18 | 1L << 19 | 1L << 20 | 1L << 23
            | 1L << 5 | 1L << 15;

    /** ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK. */
    public static final int LIVE = 0x0F;

    private static final int QUEUE_ENTRIES = 16;
    /** Address of the memory's first byte. */
    public static final long BASE = 0x40_0000L;
    private static final int MEMORY_BYTES = 1 << 20;
    private static final int QUEUE_AREA = 0x2000;
    private static final int BUFFER_BYTES = 2048;
    private static final int NET_HEADER_BYTES = 12;

    private final DmaSpace dma = new DmaSpace();
    private PciView pci;
    private final ByteBuffer memory;
    private final List<Integer> interrupts = Collections.synchronizedList(new ArrayList<>());
    private final List<SplitQueue> queues = new ArrayList<>();
    private long nextBuffer = BASE + 16 * QUEUE_AREA;
    private volatile Runnable onInterrupt = () -> {};

    /** A driver beside a function: its memory is attached, and accesses are answered. */
    public GuestDriver(PciFunction function) {
        memory = ByteBuffer.allocate(MEMORY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        dma.map(BASE, memory.duplicate(), DmaSpace.Access.READ_WRITE);
        attach(function);
    }

    private void attach(PciFunction function) {
        pci = new PciView(function);
        function.attach(dma, this);
        pci.enable();
    }

    /** Goes on with another function, which has taken the state of the one before; its PCI side is set up again. */
    public void moveTo(PciFunction function) {
        attach(function);
        pci.enableMsix();
    }

    /** The function. */
    public PciView pci() {
        return pci;
    }

    /** Takes the device into use: reset, features, queues, DRIVER_OK. */
    public GuestDriver start() {
        negotiate(FEATURES);
        for (int queue = 0; queue <= CONTROL; queue++) {
            queues.add(enable(queue, queue + 1));
        }
        pci.common(DEVICE_STATUS, 1, LIVE);
        return this;
    }

    /** Resets the device and agrees upon features; vector 0 is for the configuration. */
    void negotiate(long features) {
        pci.enable();
        pci.common(DEVICE_STATUS, 1, 0);
        pci.common(DEVICE_STATUS, 1, 1);
        pci.common(DEVICE_STATUS, 1, 3);
        pci.common(DRIVER_FEATURE_SELECT, 4, 0);
        pci.common(DRIVER_FEATURE, 4, features & 0xFFFF_FFFFL);
        pci.common(DRIVER_FEATURE_SELECT, 4, 1);
        pci.common(DRIVER_FEATURE, 4, features >>> 32);
        pci.common(DEVICE_STATUS, 1, 11);
        assertThat(pci.common(DEVICE_STATUS, 1)).as("FEATURES_OK").isEqualTo(11);
        pci.enableMsix();
        pci.common(CONFIG_MSIX_VECTOR, 2, 0);
    }

    /** Sets one queue up. */
    SplitQueue enable(int index, int vector) {
        SplitQueue queue = queueAt(BASE + (long) index * QUEUE_AREA, QUEUE_ENTRIES, Long.BYTES);
        queue.clear();
        pci.common(QUEUE_SELECT, 2, index);
        pci.common(QUEUE_SIZE, 2, QUEUE_ENTRIES);
        pci.common(QUEUE_MSIX_VECTOR, 2, vector);
        pci.common(QUEUE_DESC, 8, queue.desc);
        pci.common(QUEUE_DRIVER, 8, queue.driver);
        pci.common(QUEUE_DEVICE, 8, queue.device);
        pci.common(QUEUE_ENABLE, 2, 1);
        return queue;
    }

    /** A queue in this memory that the device is told of by other means. */
    public SplitQueue queueAt(long address, int size, int alignment) {
        return new SplitQueue(memory, BASE, address, size, alignment);
    }

    /** One of the queues. */
    public SplitQueue queue(int index) {
        return queues.get(index);
    }

    /** Makes so many buffers for frames available. */
    public void postReceiveBuffers(int count) {
        for (int i = 0; i < count; i++) {
            queue(RECEIVE).offer(buffer(new byte[BUFFER_BYTES]), BUFFER_BYTES, true);
        }
        notifyQueue(RECEIVE);
    }

    /** Makes a frame available for sending. */
    public void post(byte[] frame) {
        byte[] packet = new byte[NET_HEADER_BYTES + frame.length];
        System.arraycopy(frame, 0, packet, NET_HEADER_BYTES, frame.length);
        queue(TRANSMIT).offer(buffer(packet), packet.length, false);
    }

    /** Sends a frame. */
    public void transmit(byte[] frame) {
        post(frame);
        notifyQueue(TRANSMIT);
    }

    /** Makes a control command available; gives the address of its answer byte. */
    public long postControl(int controlClass, int command, byte... data) {
        byte[] readable = new byte[2 + data.length];
        readable[0] = (byte) controlClass;
        readable[1] = (byte) command;
        System.arraycopy(data, 0, readable, 2, data.length);
        long answer = buffer(new byte[] {(byte) 0xEE});
        queue(CONTROL).offer(buffer(readable), readable.length, answer, 1);
        return answer;
    }

    /** Performs a control command, which must be accepted. */
    public void control(int controlClass, int command, byte... data) {
        long answer = postControl(controlClass, command, data);
        notifyQueue(CONTROL);
        assertThat(u8(answer)).as("answer of control command %d.%d", controlClass, command).isZero();
    }

    /** Notifies a queue. */
    public void notifyQueue(int queue) {
        pci.common(QUEUE_SELECT, 2, queue);
        pci.notifyQueue(queue, (int) pci.common(QUEUE_NOTIFY_OFF, 2));
    }

    /** A byte of the memory. */
    public int u8(long address) {
        return Byte.toUnsignedInt(memory.get(Math.toIntExact(address - BASE)));
    }

    /** Puts bytes where nothing else is; gives their address. */
    public long buffer(byte[] content) {
        long address = nextBuffer;
        nextBuffer += content.length + 15 & ~15;
        memory.put(Math.toIntExact(address - BASE), content);
        return address;
    }

    /** Bytes of the memory. */
    public byte[] bytes(long address, int length) {
        byte[] copy = new byte[length];
        memory.get(Math.toIntExact(address - BASE), copy);
        return copy;
    }

    /** All of the memory as it is now. */
    public byte[] memory() {
        return bytes(BASE, memory.capacity());
    }

    /** Vectors that were signalled, in order. */
    public List<Integer> interrupts() {
        return List.copyOf(interrupts);
    }

    /** Forgets the interrupts so far. */
    public void forgetInterrupts() {
        interrupts.clear();
    }

    /** Does something within every interrupt, on the thread that it comes on. */
    public void onInterrupt(Runnable action) {
        onInterrupt = action;
    }

    @Override
    public void messageSignalled(int vector, long address, int data) {
        interrupts.add(vector);
        onInterrupt.run();
    }

    /** A broadcast frame of 60 bytes with a number in it. */
    public static byte[] frame(int number) {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xFF);
        frame[6] = 2;
        frame[12] = 0x08;
        frame[20] = (byte) number;
        return frame;
    }

    /** The device features, as a driver reads them. */
    public static long offered(PciView pci) {
        pci.common(DEVICE_FEATURE_SELECT, 4, 1);
        long high = pci.common(DEVICE_FEATURE, 4);
        pci.common(DEVICE_FEATURE_SELECT, 4, 0);
        return high << 32 | pci.common(DEVICE_FEATURE, 4);
    }
}
