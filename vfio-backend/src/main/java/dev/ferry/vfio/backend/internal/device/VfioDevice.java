// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Header;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.MigDataSize;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.MigState;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Migration;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DeviceInfo;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.RegionInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;

/** The requests that an open VFIO device takes, one method each; no state of its own. Thread-safe. */
public final class VfioDevice implements AutoCloseable {

    /**
     * What a request for a state gave.
     *
     * @param error the error number, 0 for success
     * @param dataFd a new data descriptor, the caller's to close; -1 for none, as with every error
     */
    record StateSet(int error, int dataFd) {}

    /**
     * Where the device is, read back after something failed.
     *
     * @param state empty when the kernel could not tell, or told one that this program does not know
     * @param sentence the same for people, to end a message with
     */
    record Whereabouts(Optional<DeviceState> state, String sentence) {}

    private final SystemCalls calls;
    private final Descriptor descriptor;
    private final String name;

    /** Takes over the descriptor of a device. */
    public VfioDevice(SystemCalls calls, Descriptor descriptor, String name) {
        this.calls = calls;
        this.descriptor = descriptor;
        this.name = name;
    }

    /** Name for messages. */
    public String name() {
        return name;
    }

    SystemCalls calls() {
        return calls;
    }

    Descriptor descriptor() {
        return descriptor;
    }

    /**
     * One {@code VFIO_DEVICE_FEATURE}.
     *
     * @param feature index and the GET, SET or PROBE bit
     * @param argument header and data; the header is filled in here
     * @return 0 or the negated error number
     */
    public int feature(int feature, MemorySegment argument) {
        argument.set(JAVA_INT, Header.ARGSZ, (int) argument.byteSize());
        argument.set(JAVA_INT, Header.FLAGS, feature);
        return ioctl(VfioIoctl.VFIO_DEVICE_FEATURE, argument);
    }

    /** Any call on the device: what the kernel gives, or the negated error number. */
    public int ioctl(int request, MemorySegment argument) {
        return (int) descriptor.use(fd -> calls.ioctl(fd, request, argument));
    }

    /**
     * Whether the device takes a feature in this direction; asks, changes nothing.
     *
     * @param name of the feature and the direction, for messages
     */
    public boolean probe(int index, int direction, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            return isOffered(
                    feature(index | direction | DeviceFeature.PROBE, arena.allocate(Header.BYTES, Long.BYTES)),
                    "VFIO_DEVICE_FEATURE PROBE " + name);
        }
    }

    /**
     * Whether what a request asked for is there. ENOTTY says that it is not, and so does EINVAL by kernels of 2022 and
     * 2023; any other error says nothing about it, and may be gone the next time.
     */
    private boolean isOffered(int result, String call) throws DeviceException {
        if (result == -LinuxErrno.ENOTTY || result == -LinuxErrno.EINVAL) {
            return false;
        }
        require(result, call);
        return true;
    }

    /**
     * What the device can do in a migration.
     *
     * @throws DeviceException EOPNOTSUPP when it cannot be migrated
     */
    public Set<MigrationFeature> migrationFeatures() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + Migration.BYTES, Long.BYTES);
            if (!isOffered(feature(DeviceFeature.MIGRATION | DeviceFeature.GET, argument),
                    "VFIO_DEVICE_FEATURE GET MIGRATION")) {
                throw new DeviceException(Errno.EOPNOTSUPP, "the kernel driver of " + name
                        + " has no migration support; bind the device to its vendor's VFIO driver");
            }
            Set<MigrationFeature> features =
                    MigrationFeature.ofFlags(argument.get(JAVA_LONG, Header.DATA + Migration.FLAGS));
            if (!features.contains(MigrationFeature.STOP_COPY)) {
                throw new DeviceException(Errno.EOPNOTSUPP, "the kernel driver of " + name
                        + " does not offer STOP_COPY, without which nothing can be saved; load a newer one");
            }
            return features;
        }
    }

    /** The state the device is in, asked of the kernel. */
    public DeviceState state() throws DeviceException {
        int number = stateNumber();
        return DeviceState.ofNumber(number).orElseThrow(() -> new DeviceException(
                Errno.EIO, "%s says it is in state %d, which this program does not know".formatted(name, number)));
    }

    private int stateNumber() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + MigState.BYTES, Long.BYTES);
            int result = feature(DeviceFeature.MIG_DEVICE_STATE | DeviceFeature.GET, argument);
            if (result < 0) {
                throw new KernelException(name, "VFIO_DEVICE_FEATURE GET MIG_DEVICE_STATE", -result);
            }
            return argument.get(JAVA_INT, Header.DATA + MigState.DEVICE_STATE);
        }
    }

    /**
     * Asks for a state; the kernel may walk several arcs and end anywhere on the way. A failure comes without a
     * descriptor: a number that the kernel could not write back, {@code vfio_ioct_mig_return_fd} in {@code
     * vfio_main.c}, is taken back, and may be another file's by now.
     */
    StateSet setState(DeviceState state) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + MigState.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Header.DATA + MigState.DEVICE_STATE, state.number());
            argument.set(JAVA_INT, Header.DATA + MigState.DATA_FD, MigState.NO_FD);
            int result = feature(DeviceFeature.MIG_DEVICE_STATE | DeviceFeature.SET, argument);
            int dataFd = result < 0 ? MigState.NO_FD : argument.get(JAVA_INT, Header.DATA + MigState.DATA_FD);
            return new StateSet(-result, dataFd);
        }
    }

    /** The driver's estimate of the bytes in STOP_COPY, unsigned. */
    long stopCopyLength() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + MigDataSize.BYTES, Long.BYTES);
            require(feature(DeviceFeature.MIG_DATA_SIZE | DeviceFeature.GET, argument),
                    "VFIO_DEVICE_FEATURE GET MIG_DATA_SIZE");
            return argument.get(JAVA_LONG, Header.DATA + MigDataSize.STOP_COPY_LENGTH);
        }
    }

    /** Asks for reliable flags in the pre-copy information; false where the kernel is too old for them. */
    boolean enablePrecopyInfoV2() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES, Long.BYTES);
            return isOffered(feature(DeviceFeature.MIG_PRECOPY_INFOv2 | DeviceFeature.SET, argument),
                    "VFIO_DEVICE_FEATURE SET MIG_PRECOPY_INFOv2");
        }
    }

    /** Resets the device, whatever state it is in. */
    void reset() throws DeviceException {
        int result = ioctl(VfioIoctl.VFIO_DEVICE_RESET, MemorySegment.NULL);
        if (result == -LinuxErrno.ENOTTY || result == -LinuxErrno.EINVAL) {
            throw failure("VFIO_DEVICE_RESET", result, "the device has no reset; use the means of its host");
        }
        require(result, "VFIO_DEVICE_RESET");
    }

    /** Flags of {@code struct vfio_device_info}; fails on a descriptor that is no VFIO device's. */
    public int infoFlags() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DeviceInfo.BYTES, Long.BYTES);
            argument.set(JAVA_INT, DeviceInfo.ARGSZ, DeviceInfo.BYTES);
            require(ioctl(VfioIoctl.VFIO_DEVICE_GET_INFO, argument), "VFIO_DEVICE_GET_INFO");
            return argument.get(JAVA_INT, DeviceInfo.FLAGS);
        }
    }

    /** Where a region lies in the device's descriptor. */
    public Region region(int index) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(RegionInfo.BYTES, Long.BYTES);
            argument.set(JAVA_INT, RegionInfo.ARGSZ, RegionInfo.BYTES);
            argument.set(JAVA_INT, RegionInfo.INDEX, index);
            require(ioctl(VfioIoctl.VFIO_DEVICE_GET_REGION_INFO, argument), "VFIO_DEVICE_GET_REGION_INFO " + index);
            return new Region(
                    this, argument.get(JAVA_LONG, RegionInfo.OFFSET), argument.get(JAVA_LONG, RegionInfo.SIZE));
        }
    }

    /**
     * Demands that a call succeeded, on the device or on what only this device has.
     *
     * @param result what the call gave: the negated error number when it is negative
     * @throws DeviceException that names the call, what the kernel said, and where the device is now
     */
    public void require(long result, String call) throws DeviceException {
        if (result < 0) {
            throw failure(call, result);
        }
    }

    /** Where the device is now; asked of the kernel, since a failure may leave it anywhere. */
    Whereabouts whereabouts() {
        try {
            int number = stateNumber();
            Optional<DeviceState> now = DeviceState.ofNumber(number);
            String where = now.map(DeviceState::name).orElse("state " + number);
            return new Whereabouts(now, "it is in " + where + " now");
        } catch (DeviceException e) {
            return new Whereabouts(
                    Optional.empty(), "where it is could not be asked: " + KernelException.reason(e));
        }
    }

    /** Our error for a call on an open device that failed, but for a change of its state: an arc says more. */
    KernelException failure(String call, long result) {
        return failure(call, result, "");
    }

    private KernelException failure(String call, long result, String advice) {
        return new KernelException(name, call, (int) -result, advice, whereabouts().sentence());
    }

    /** Gives the device back to the kernel, which may reset it when nobody else holds it. */
    @Override
    public void close() {
        descriptor.close();
    }
}
