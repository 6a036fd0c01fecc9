// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static dev.ferry.virtio.DeviceStatus.ACKNOWLEDGE;
import static dev.ferry.virtio.DeviceStatus.DRIVER;
import static dev.ferry.virtio.DeviceStatus.DRIVER_OK;
import static dev.ferry.virtio.DeviceStatus.FEATURES_OK;

import dev.ferry.emulator.control.PciFunction;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import java.io.IOException;

/**
 * Takes a device from whatever state it is in to DRIVER_OK, as a driver's probe does. Used once.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Driver Requirements:
 *     Device Initialization"</a>
 */
final class DriverSetup {

    private static final long REQUIRED = VirtioFeature.maskOf(VirtioFeature.VERSION_1, VirtioFeature.NET_MRG_RXBUF);
    private static final long WANTED = REQUIRED
            | VirtioFeature.maskOf(
                    VirtioFeature.NET_MAC,
                    VirtioFeature.NET_STATUS,
                    VirtioFeature.NET_CTRL_VQ,
                    VirtioFeature.NET_CTRL_RX,
                    VirtioFeature.NET_CTRL_RX_EXTRA,
                    VirtioFeature.NET_CTRL_MAC_ADDR,
                    VirtioFeature.ACCESS_PLATFORM,
                    VirtioFeature.ORDER_PLATFORM);

    private static final int CONFIG_MAX_PAIRS = 8;
    private static final int CONFIG_VECTOR = 0;
    private static final int MIN_BUFFER_BYTES = 2048;
    private static final int MAX_FRAME_BYTES = 65_550;
    private static final int CONTROL_QUEUE_SIZE = 16;

    private final PciFunction function;
    private final GuestRam ram;
    private final DriverArea area;
    private final GuestOptions options;
    private VirtioPci device;
    private MsixTable msix;
    private long next;
    private int queueSize;
    private long[] buffers;

    DriverSetup(PciFunction function, GuestRam ram, DriverArea area, GuestOptions options) {
        this.function = function;
        this.ram = ram;
        this.area = area;
        this.options = options;
    }

    /** Address of the first packet buffer of a pair. */
    long buffers(int pair) {
        return buffers[pair];
    }

    /** Packet buffers of one pair: enough for a full receive queue while the transmit queue is full. */
    int bufferCount() {
        return 2 * queueSize;
    }

    /** Does it. */
    void run() throws IOException {
        device = VirtioPci.find(function);
        checkRam(DriverArea.BYTES);
        area.invalidate();
        next = ram.base() + DriverArea.BYTES;
        PciConfig config = new PciConfig(function);
        config.placeBars();
        config.enable();
        msix = MsixTable.find(function);
        msix.enable();
        device.reset();
        device.addStatus(ACKNOWLEDGE);
        device.addStatus(DRIVER);
        negotiate();
        setUpQueues();
        setUpLoad();
        area.common(device.common());
        area.validate();
        device.addStatus(DRIVER_OK);
    }

    private void negotiate() throws IOException {
        long offered = device.deviceFeatures();
        if ((offered & REQUIRED) != REQUIRED) {
            throw new IOException("%s offers the features 0x%x, which lack some of 0x%x"
                    .formatted(function.id(), offered, REQUIRED));
        }
        long wanted = WANTED;
        if (options.packed()) {
            if (!VirtioFeature.RING_PACKED.isIn(offered)) {
                throw new IOException(function.id() + " has no packed virtqueues; use split ones");
            }
            wanted |= VirtioFeature.RING_PACKED.mask();
        }
        if (options.queuePairs() > 1) {
            wanted |= VirtioFeature.NET_MQ.mask();
        }
        // With a VLAN table a device drops tagged frames until their ids are added: not wanted by who wants all.
        if (!options.promiscuous()) {
            wanted |= VirtioFeature.NET_CTRL_VLAN.mask();
        }
        long features = offered & wanted;
        device.driverFeatures(features);
        device.addStatus(FEATURES_OK);
        if ((device.read(PciCommonConfig.DEVICE_STATUS) & FEATURES_OK) == 0) {
            throw new IOException("%s does not accept the features 0x%x".formatted(function.id(), features));
        }
        area.features(features);
    }

    private void setUpQueues() throws IOException {
        setVector(PciCommonConfig.CONFIG_MSIX_VECTOR, CONFIG_VECTOR);
        int pairs = options.queuePairs();
        boolean multiqueue = VirtioFeature.NET_MQ.isIn(area.features());
        int maxPairs = multiqueue ? (int) device.readDeviceConfig(CONFIG_MAX_PAIRS, Short.BYTES) : 1;
        if (pairs > maxPairs) {
            throw new IOException(function.id() + " has " + maxPairs + " queue pairs, not " + pairs);
        }
        area.pairs(pairs);
        queueSize = sizeOf(0, options.queueSize());
        area.bufferBytes(bufferBytes());
        buffers = new long[pairs];
        for (int pair = 0; pair < pairs; pair++) {
            DriverQueue receive = setUpQueue(2 * pair, queueSize, area.receiveQueue(pair));
            setUpQueue(2 * pair + 1, queueSize, area.transmitQueue(pair));
            receive.userData(take(BufferPool.bytes(bufferCount())));
            buffers[pair] = take(bufferCount() * area.bufferBytes());
        }
        area.hasControlQueue(VirtioFeature.NET_CTRL_VQ.isIn(area.features()));
        if (area.hasControlQueue()) {
            int size = sizeOf(2 * maxPairs, CONTROL_QUEUE_SIZE);
            setUpQueue(2 * maxPairs, size, area.controlQueue()).userData(take(ControlQueue.AREA_BYTES));
        }
    }

    private void setUpLoad() throws IOException {
        area.writer(0);
        if (options.load().pagesPerSecond() == 0) {
            return;
        }
        long record = take(MemoryWriter.RECORD_BYTES);
        long left = (ram.base() + ram.size() - next) / DriverQueue.PAGE_BYTES;
        int wanted = options.load().pages();
        if (left < Math.max(1, wanted)) {
            throw new IOException("the guest has " + left + " pages of memory left for the " + wanted
                    + " that its program is to write");
        }
        MemoryWriter.create(ram, record, options.load(), next, wanted == 0 ? (int) left : wanted);
        area.writer(record);
    }

    // A queue must hold the longest frame twice: one on its way in, one on its way out.
    private int bufferBytes() {
        int wanted = 2 * (MAX_FRAME_BYTES + QueuePair.HDR_BYTES) / queueSize;
        return Math.max(MIN_BUFFER_BYTES, Integer.highestOneBit(wanted) << 1);
    }

    private int sizeOf(int index, int most) throws IOException {
        device.write(PciCommonConfig.QUEUE_SELECT, index);
        int size = Math.min((int) device.read(PciCommonConfig.QUEUE_SIZE), most);
        if (size < 2 || Integer.bitCount(size) != 1) {
            throw new IOException(function.id() + " has no queue " + index + " of a usable size: " + size);
        }
        return size;
    }

    private DriverQueue setUpQueue(int index, int size, long record) throws IOException {
        device.write(PciCommonConfig.QUEUE_SELECT, index);
        if (device.read(PciCommonConfig.QUEUE_SIZE) < size) {
            throw new IOException(function.id() + ": queue " + index + " has less than " + size + " entries");
        }
        boolean packed = VirtioFeature.RING_PACKED.isIn(area.features());
        long rings = take(DriverQueue.ringBytes(size, packed));
        DriverQueue queue = DriverQueue.create(
                ram, function, record, index, size, rings, device.selectedQueueNotify(), packed);
        device.write(PciCommonConfig.QUEUE_SIZE, size);
        setVector(PciCommonConfig.QUEUE_MSIX_VECTOR, Math.min(index + 1, msix.size() - 1));
        device.write(PciCommonConfig.QUEUE_DESC, queue.descriptorArea());
        device.write(PciCommonConfig.QUEUE_DRIVER, queue.driverArea());
        device.write(PciCommonConfig.QUEUE_DEVICE, queue.deviceArea());
        device.write(PciCommonConfig.QUEUE_ENABLE, 1);
        return queue;
    }

    private void setVector(PciCommonConfig field, int vector) throws IOException {
        device.write(field, vector);
        if (device.read(field) == VirtqueueConfig.NO_VECTOR) {
            throw new IOException(function.id() + " has no interrupt vector " + vector);
        }
    }

    private long take(int bytes) throws IOException {
        long taken = next;
        long end = taken + bytes - ram.base();
        checkRam(end);
        next = ram.base() + (end + DriverQueue.PAGE_BYTES - 1) / DriverQueue.PAGE_BYTES * DriverQueue.PAGE_BYTES;
        return taken;
    }

    private void checkRam(long needed) throws IOException {
        if (needed > ram.size()) {
            throw new IOException("the guest needs more than its " + ram.size() + " bytes of memory for "
                    + options.queuePairs() + " queue pairs");
        }
    }
}
