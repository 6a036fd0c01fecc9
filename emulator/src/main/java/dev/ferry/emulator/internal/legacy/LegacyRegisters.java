// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.legacy;

import dev.ferry.virtio.LegacyCommonConfig;
import dev.ferry.virtio.PciCommonConfig;
import java.util.Optional;

/**
 * The registers of the legacy interface. A field of the common configuration is accessed whole, as every legacy driver
 * does; of the device configuration also in pieces, since Linux reads it byte by byte. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Legacy Interfaces: A Note
 *     on PCI Device Layout"</a>
 */
public final class LegacyRegisters {

    private static final long LOW_HALF = 0xFFFF_FFFFL;

    private final LegacyDevice device;

    /** The registers of a device. */
    public LegacyRegisters(LegacyDevice device) {
        this.device = device;
    }

    /** What {@link LegacyInterface#readLegacy} does. */
    public Optional<byte[]> read(LegacyArea area, FieldAccess access) {
        return switch (area) {
            case COMMON -> field(access).map(field -> bytes(read(field), field.size()));
            case DEVICE -> {
                int length = configLength(access);
                yield length == 0
                        ? Optional.empty()
                        : Optional.of(bytes(device.readConfig(access.offset(), length), length));
            }
        };
    }

    /** What {@link LegacyInterface#writeLegacy} does. */
    public boolean write(LegacyArea area, FieldAccess access, long value) {
        return switch (area) {
            case COMMON -> {
                Optional<LegacyCommonConfig> field = field(access).filter(f -> fits(value, f.size()));
                field.ifPresent(f -> write(f, value));
                yield field.isPresent();
            }
            case DEVICE -> {
                int length = configLength(access);
                boolean fits = length > 0 && fits(value, length);
                if (fits) {
                    device.writeConfig(access.offset(), length, value);
                }
                yield fits;
            }
        };
    }

    /** The field that an access is of; empty when it is not of one whole field that is there. */
    private Optional<LegacyCommonConfig> field(FieldAccess access) {
        int end = LegacyCommonConfig.bytes(device.isMsixEnabled());
        return LegacyCommonConfig.at(access.offset())
                .filter(field -> field.offset() < end && access.within(field.size()) == field.size());
    }

    private int configLength(FieldAccess access) {
        return access.within(device.configBytesLeft(access.offset()));
    }

    /** Padding is zero. */
    private static boolean fits(long value, int bytes) {
        return bytes == Long.BYTES || value >>> bytes * Byte.SIZE == 0;
    }

    private long read(LegacyCommonConfig field) {
        return switch (field) {
            case DEVICE_FEATURES -> device.offeredFeatures() & LOW_HALF;
            case DRIVER_FEATURES -> device.driverFeatures() & LOW_HALF;
            case QUEUE_ADDRESS -> LegacyRing.pageNumber(device.selectedQueue());
            case QUEUE_SIZE -> device.read(PciCommonConfig.QUEUE_SIZE);
            case QUEUE_SELECT -> device.read(PciCommonConfig.QUEUE_SELECT);
            case QUEUE_NOTIFY -> 0;
            case DEVICE_STATUS -> device.read(PciCommonConfig.DEVICE_STATUS);
            case ISR_STATUS -> device.takeIsr();
            case CONFIG_MSIX_VECTOR -> device.read(PciCommonConfig.CONFIG_MSIX_VECTOR);
            case QUEUE_MSIX_VECTOR -> device.read(PciCommonConfig.QUEUE_MSIX_VECTOR);
        };
    }

    private void write(LegacyCommonConfig field, long value) {
        switch (field) {
            case DRIVER_FEATURES -> device.takeFeatures(value & device.offeredFeatures() & LOW_HALF);
            case QUEUE_ADDRESS -> device.changeSelectedQueue(LegacyRing.at(value, device.selectedQueue()));
            case QUEUE_SELECT -> device.write(PciCommonConfig.QUEUE_SELECT, value);
            case QUEUE_NOTIFY -> device.notified((int) value);
            case DEVICE_STATUS -> device.setStatus((int) value);
            case CONFIG_MSIX_VECTOR -> device.write(PciCommonConfig.CONFIG_MSIX_VECTOR, value);
            case QUEUE_MSIX_VECTOR -> device.write(PciCommonConfig.QUEUE_MSIX_VECTOR, value);
            case DEVICE_FEATURES, QUEUE_SIZE, ISR_STATUS -> {}
        }
    }

    private static byte[] bytes(long value, int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (value >>> i * Byte.SIZE);
        }
        return bytes;
    }
}
