// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.device.Abilities;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.device.VfioDriver;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeKernel;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A device of the fake kernel whose data descriptor is a real one, of a file: what reads it is the real driver, by real
 * system calls.
 */
final class MemoryBackedDevice implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 1_000;

    private final SystemCalls real = new LinuxSystemCalls();
    private final FakeKernel fake = new FakeKernel();
    private final int number = fake.install(new FakeDevice(fake));
    private final String file;
    private final VfioDevice device;
    private final VfioDriver driver;

    MemoryBackedDevice(Path file) throws DeviceException {
        this.file = file.toString();
        SystemCalls calls = (SystemCalls) Proxy.newProxyInstance(
                SystemCalls.class.getClassLoader(), new Class<?>[] {SystemCalls.class}, this::call);
        device = new VfioDevice(calls, new Descriptor(calls, number), "memory");
        driver = new VfioDriver(device, Abilities.of(device), Optional.empty(), () -> TIMEOUT_MILLIS);
    }

    MigrationDriver driver() {
        return driver;
    }

    private Object call(Object proxy, Method method, Object[] arguments) throws Throwable {
        boolean toDevice = arguments != null && arguments[0] instanceof Integer fd && fd == number;
        try {
            Object result = method.invoke(toDevice ? fake : real, arguments);
            if (method.getName().equals("ioctl") && toDevice && arguments[1].equals(VfioIoctl.VFIO_DEVICE_FEATURE)) {
                replaceDescriptor((MemorySegment) arguments[2]);
            }
            return result;
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** Where the fake kernel gave a descriptor, there shall be one of the file. */
    private void replaceDescriptor(MemorySegment argument) {
        int asked = argument.get(JAVA_INT, DeviceFeature.Header.FLAGS);
        if (asked != (DeviceFeature.MIG_DEVICE_STATE | DeviceFeature.SET)) {
            return;
        }
        long field = DeviceFeature.Header.DATA + DeviceFeature.MigState.DATA_FD;
        int given = argument.get(JAVA_INT, field);
        if (given >= 0) {
            fake.close(given);
            argument.set(JAVA_INT, field, real.open(file, Posix.O_RDWR | Posix.O_CLOEXEC));
        }
    }

    @Override
    public void close() {
        driver.close();
        device.close();
    }
}
