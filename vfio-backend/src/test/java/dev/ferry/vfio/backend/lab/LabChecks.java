// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.contract.Check;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernel lab checks on real devices beyond the vendor contract: one line per check, and an exit status of 1 when
 * one failed. Arguments: {@code auto}, {@code group} or {@code cdev}; {@code shipped} or {@code iommufd} for the {@link
 * KernelFlavor}; then the UUIDs of two {@code mtty} devices and of two devices of the lab's own module. All are reset.
 */
public final class LabChecks {
    private static final int BUFFER_BYTES = 1 << 20;
    /** The configuration space of a PCI Express function, and headers of records. */
    private static final int MOST_BYTES_AROUND = 5000;
    /** Reads that may bring nothing before a check gives up. */
    private static final int MAX_READS = 100_000;

    private LabChecks() {}

    /** Runs all checks. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 6) {
            System.err.println("usage: LabChecks auto|group|cdev shipped|iommufd MTTY MTTY LAB LAB");
            System.exit(2);
        }
        HostDevices devices = new HostDevices(arguments[0]);
        KernelFlavor flavor = KernelFlavor.of(arguments[1]);
        KernelChecks kernel = new KernelChecks(devices, arguments[2]);
        List<Check> checks = new ArrayList<>();
        checks.addAll(new MttyChecks(devices, arguments[2], arguments[3]).checks());
        checks.addAll(new OpeningChecks(devices, arguments[2]).checks());
        checks.addAll(kernel.checks());
        checks.addAll(kernel.ofMtty());
        checks.addAll(new SteeredDeviceChecks(devices, arguments[4], arguments[5]).checks());
        checks.addAll(new ConfigSpaceChecks(devices, arguments[4], arguments[5]).checks());
        checks.addAll(new FailedArcChecks(devices, arguments[4]).checks());
        checks.addAll(new DirtyPagesChecks(devices, arguments[4], flavor).checks());
        System.exit(run(checks) == 0 ? 0 : 1);
    }

    /** Runs checks, tells of each in one line, and gives the number that failed. */
    static int run(List<Check> checks) {
        int failed = 0;
        for (Check check : checks) {
            try {
                check.run();
                System.out.println("ok    " + check.name());
            } catch (Exception | AssertionError | LinkageError e) {
                failed++;
                System.out.println("FAIL  " + check.name() + ": " + e);
            }
        }
        System.out.println(checks.size() + " checks, " + failed + " failed");
        return failed;
    }

    static void demand(boolean held, String demand, Object... arguments) {
        if (!held) {
            throw new AssertionError(demand.formatted(arguments));
        }
    }

    /** Demands that the kernel tells just this size in STOP_COPY, and the driver this and what it puts around it. */
    static void demandStopCopySize(HostDevices devices, Driven driven, long bytes) throws DeviceException {
        long kernel = new RawRequests(devices.calls(), driven.open().device()).dataSize();
        demand(kernel == bytes, "the kernel tells %d bytes in STOP_COPY instead of %d", kernel, bytes);
        long told = driven.driver().stopCopySize();
        demand(told >= bytes && told <= bytes + MOST_BYTES_AROUND, "the driver tells %d bytes instead of %d", told, bytes);
    }

    /** Something that a device has to refuse. */
    @FunctionalInterface
    interface Refused {
        void call() throws Exception;
    }

    /** Demands a refusal with one errno; gives it for a look at its message. */
    static DeviceException refusal(Errno errno, Refused refused) throws Exception {
        try {
            refused.call();
        } catch (DeviceException e) {
            demand(e.errno() == errno, "refused with %s instead of %s: %s", e.errno(), errno, e.getMessage());
            return e;
        }
        throw new AssertionError("must be refused with " + errno);
    }

    static void take(MigrationDriver driver, Arc... arcs) throws DeviceException {
        for (Arc arc : arcs) {
            driver.step(arc);
        }
    }

    static void demandState(MigrationDriver driver, DeviceState state) throws DeviceException {
        demand(driver.state() == state, "in %s instead of %s", driver.state(), state);
    }

    /** A whole migration by way of PRE_COPY, as an orchestrator makes it. */
    static void migrate(MigrationDriver source, MigrationDriver destination) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        SavingSession saving = (SavingSession) source.step(Arc.RUNNING_TO_PRE_COPY).orElseThrow();
        ResumingSession resuming = resuming(destination);
        pump(saving, resuming, buffer);
        take(source, Arc.PRE_COPY_TO_PRE_COPY_P2P, Arc.PRE_COPY_P2P_TO_STOP_COPY);
        demand(pump(saving, resuming, buffer), "the stream has no end in STOP_COPY");
        take(source, Arc.STOP_COPY_TO_STOP);
        take(destination, Arc.RESUMING_TO_STOP, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_RUNNING);
    }

    static ResumingSession resuming(MigrationDriver destination) throws DeviceException {
        take(destination, Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
        return (ResumingSession) destination.step(Arc.STOP_TO_RESUMING).orElseThrow();
    }

    /** Moves what there is now; whether the stream has ended. */
    static boolean pump(SavingSession saving, ResumingSession resuming) throws IOException {
        return pump(saving, resuming, ByteBuffer.allocateDirect(BUFFER_BYTES));
    }

    static boolean pump(SavingSession saving, ResumingSession resuming, ByteBuffer buffer) throws IOException {
        for (int reads = 0; reads < MAX_READS; reads++) {
            int count = saving.read(buffer.clear());
            if (count <= 0) {
                return count < 0;
            }
            buffer.flip();
            while (buffer.hasRemaining()) {
                resuming.write(buffer);
            }
        }
        throw new AssertionError("the stream does not end in " + MAX_READS + " reads");
    }
}
