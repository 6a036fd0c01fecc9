// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static dev.ferry.virtio.PciCommonConfig.DEVICE_STATUS;

import dev.ferry.emulator.control.PciFunction;
import dev.ferry.virtio.PciCommonConfig;
import java.io.IOException;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * The virtio structures of a function, found by its vendor-specific capabilities. Not thread-safe.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Virtio Structure PCI
 *     Capabilities"</a>
 */
final class VirtioPci {

    private static final int CAP_ID_VENDOR = 0x09;
    private static final int CFG_TYPE = 3;
    private static final int CAP_BAR = 4;
    private static final int CAP_OFFSET = 8;
    private static final int NOTIFY_OFF_MULTIPLIER = 16;
    private static final int COMMON_CFG = 1;
    private static final int NOTIFY_CFG = 2;
    private static final int DEVICE_CFG = 4;

    private static final int STATUS_READS = 1000;
    private static final int HALF_BITS = 32;

    private final PciFunction function;
    private final BarRegion common;
    private final BarRegion notify;
    private final int notifyMultiplier;
    private final BarRegion deviceConfig;

    private VirtioPci(PciFunction function, int[] capabilities, int notifyMultiplier) {
        PciConfig config = new PciConfig(function);
        this.function = function;
        this.common = region(config, capabilities[COMMON_CFG]);
        this.notify = region(config, capabilities[NOTIFY_CFG]);
        this.deviceConfig = region(config, capabilities[DEVICE_CFG]);
        this.notifyMultiplier = notifyMultiplier;
    }

    /** Finds the structures of a virtio-net function. */
    static VirtioPci find(PciFunction function) throws IOException {
        PciConfig config = new PciConfig(function);
        config.checkVirtioNet();
        int[] capabilities = new int[DEVICE_CFG + 1];
        OptionalInt next = config.capability(CAP_ID_VENDOR);
        for (; next.isPresent(); next = config.capability(CAP_ID_VENDOR, next.getAsInt())) {
            int type = config.read(next.getAsInt() + CFG_TYPE, 1);
            // The first one of a type is the one the device likes best.
            if (type <= DEVICE_CFG && capabilities[type] == 0) {
                capabilities[type] = next.getAsInt();
            }
        }
        if (Arrays.stream(new int[] {COMMON_CFG, NOTIFY_CFG, DEVICE_CFG}).anyMatch(type -> capabilities[type] == 0)) {
            throw new IOException(function.id() + " lacks a virtio capability: common, notify or device configuration");
        }
        int multiplier = config.read(capabilities[NOTIFY_CFG] + NOTIFY_OFF_MULTIPLIER, Integer.BYTES);
        return new VirtioPci(function, capabilities, multiplier);
    }

    private static BarRegion region(PciConfig config, int capability) {
        return new BarRegion(
                config.read(capability + CAP_BAR, 1),
                Integer.toUnsignedLong(config.read(capability + CAP_OFFSET, Integer.BYTES)));
    }

    BarRegion common() {
        return common;
    }

    long read(PciCommonConfig field) {
        return function.readBar(common.bar(), common.offset() + field.offset(), field.size());
    }

    void write(PciCommonConfig field, long value) {
        function.writeBar(common.bar(), common.offset() + field.offset(), field.size(), value);
    }

    /** Reads the device configuration, by offset. */
    long readDeviceConfig(int offset, int size) {
        return function.readBar(deviceConfig.bar(), deviceConfig.offset() + offset, size);
    }

    /** Resets the device, and waits until it has. */
    void reset() throws IOException {
        write(DEVICE_STATUS, 0);
        for (int reads = 0; read(DEVICE_STATUS) != 0; reads++) {
            if (reads == STATUS_READS) {
                throw new IOException(function.id() + " does not complete its reset");
            }
            Thread.onSpinWait();
        }
    }

    /** Adds bits to the status. */
    void addStatus(int bits) {
        write(DEVICE_STATUS, read(DEVICE_STATUS) | bits);
    }

    /** The features the device offers. */
    long deviceFeatures() {
        write(PciCommonConfig.DEVICE_FEATURE_SELECT, 0);
        long low = read(PciCommonConfig.DEVICE_FEATURE);
        write(PciCommonConfig.DEVICE_FEATURE_SELECT, 1);
        return low | read(PciCommonConfig.DEVICE_FEATURE) << HALF_BITS;
    }

    /** Tells the device what the driver takes. */
    void driverFeatures(long features) {
        write(PciCommonConfig.DRIVER_FEATURE_SELECT, 0);
        write(PciCommonConfig.DRIVER_FEATURE, features & 0xFFFF_FFFFL);
        write(PciCommonConfig.DRIVER_FEATURE_SELECT, 1);
        write(PciCommonConfig.DRIVER_FEATURE, features >>> HALF_BITS);
    }

    /** Where the selected queue is notified. */
    BarRegion selectedQueueNotify() {
        long offset = read(PciCommonConfig.QUEUE_NOTIFY_OFF) * notifyMultiplier;
        return new BarRegion(notify.bar(), notify.offset() + offset);
    }
}
