// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.legacy.LegacyIo;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.LegacyCommonConfig;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The I/O BAR of one member, made of admin commands; the rules are those of Linux {@code
 * drivers/vfio/pci/virtio/legacy_io.c}. Whoever creates it opens it before anything else, and closes it.
 */
final class MemberLegacyIo implements LegacyIo {

    private final Owner owner;
    private final int member;
    private final String deviceId;
    private final GuestConfigSpace config;

    /** Held during an access. Reentrant: a notification may end in an interrupt, and that in another access. */
    private final ReentrantLock lock = new ReentrantLock();

    private volatile boolean closed;
    /** Guarded by the lock. */
    private NotifyAddress notifyAddress;

    MemberLegacyIo(Owner owner, int member, String deviceId) {
        this.owner = owner;
        this.member = member;
        this.deviceId = deviceId;
        this.config = new GuestConfigSpace(owner.functions(), member);
    }

    /** What an access does when it has the lock. */
    private interface Access {
        long perform() throws DeviceException;
    }

    /**
     * Sees whether owner and member have what is needed.
     *
     * @throws DeviceException EOPNOTSUPP when they do not, ENOENT when there is no notification address; others as the
     *     owner device gives them
     */
    void open() throws DeviceException {
        exclusively(() -> {
            owner.requireCommands();
            config.open();
            notifyAddress = NotifyAddress.of(owner, member);
            return 0;
        });
    }

    /**
     * Refuses every later access, and waits for the one under way.
     *
     * @return false when that did not end in time; it fails by its own bound
     */
    boolean close(long timeoutNanos) {
        closed = true;
        boolean interrupted = false;
        long deadline = System.nanoTime() + timeoutNanos;
        try {
            while (true) {
                try {
                    boolean idle = lock.tryLock(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                    if (idle) {
                        lock.unlock();
                    }
                    return idle;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public long readConfig(int offset, int size) throws DeviceException {
        return exclusively(() -> config.read(offset, size));
    }

    @Override
    public void writeConfig(int offset, int size, long value) throws DeviceException {
        exclusively(() -> {
            config.write(offset, size, value);
            return 0;
        });
    }

    @Override
    public long readBar0(int offset, int size) throws DeviceException {
        return exclusively(() -> {
            check(offset, size);
            int end = LegacyCommonConfig.bytes(config.isMsixEnabled());
            boolean common = offset < end;
            byte[] data = {(byte) (common ? offset : offset - end)};
            ByteBuffer result = owner.commands()
                    .execute(
                            common ? AdminOpcode.LEGACY_COMMON_CFG_READ : AdminOpcode.LEGACY_DEV_CFG_READ,
                            member,
                            data,
                            size);
            return number(result);
        });
    }

    @Override
    public void writeBar0(int offset, int size, long value) throws DeviceException {
        exclusively(() -> {
            check(offset, size);
            if (offset == LegacyCommonConfig.QUEUE_NOTIFY.offset()) {
                notifyQueue(value);
                return 0;
            }
            int end = LegacyCommonConfig.bytes(config.isMsixEnabled());
            boolean common = offset < end;
            owner.commands()
                    .execute(
                            common ? AdminOpcode.LEGACY_COMMON_CFG_WRITE : AdminOpcode.LEGACY_DEV_CFG_WRITE,
                            member,
                            writeData(common ? offset : offset - end, size, value),
                            0);
            return 0;
        });
    }

    private void notifyQueue(long queue) throws DeviceException {
        if (!config.isMemoryEnabled()) {
            throw new DeviceException(
                    Errno.EIO, "%s cannot be notified while its memory BARs are off".formatted(deviceId));
        }
        owner.functions()
                .writeBar(member, notifyAddress.bar(), notifyAddress.offset(), NotifyAddress.BYTES, queue & 0xFFFF);
    }

    private void check(int offset, int size) throws DeviceException {
        if (!config.isIoEnabled()) {
            throw new DeviceException(
                    Errno.EIO, "BAR 0 of %s is off: set the I/O bit of its command register".formatted(deviceId));
        }
        boolean legalSize = size == 1 || size == Short.BYTES || size == Integer.BYTES;
        if (!legalSize || offset < 0 || offset > BAR0_BYTES - size) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "BAR 0 of %s has no access of %d bytes at offset %d, only of 1, 2 or 4 within %d bytes"
                            .formatted(deviceId, size, offset, BAR0_BYTES));
        }
        if (offset == LegacyCommonConfig.QUEUE_NOTIFY.offset() && size != LegacyCommonConfig.QUEUE_NOTIFY.size()) {
            throw new DeviceException(
                    Errno.EINVAL, "Queue Notify of %s has 2 bytes, not %d".formatted(deviceId, size));
        }
    }

    private static byte[] writeData(int offset, int size, long value) {
        byte[] data = new byte[LegacyCommonConfig.WRITE_DATA_OFFSET + size];
        data[LegacyCommonConfig.ACCESS_OFFSET] = (byte) offset;
        for (int i = 0; i < size; i++) {
            data[LegacyCommonConfig.WRITE_DATA_OFFSET + i] = (byte) (value >>> i * Byte.SIZE);
        }
        return data;
    }

    private static long number(ByteBuffer bytes) {
        long value = 0;
        for (int i = 0; i < bytes.capacity(); i++) {
            value |= (long) Byte.toUnsignedInt(bytes.get(i)) << i * Byte.SIZE;
        }
        return value;
    }

    private long exclusively(Access access) throws DeviceException {
        lock.lock();
        try {
            if (closed) {
                throw new DeviceException(Errno.ENODEV, deviceId + " has no legacy interface any more");
            }
            return access.perform();
        } finally {
            lock.unlock();
        }
    }
}
