// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.demandState;
import static dev.ferry.vfio.backend.lab.LabChecks.pump;
import static dev.ferry.vfio.backend.lab.LabChecks.refusal;
import static dev.ferry.vfio.backend.lab.LabChecks.resuming;
import static dev.ferry.vfio.backend.lab.LabChecks.take;

import dev.ferry.contract.Check;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.device.Region;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;

/** The kernel's sample of a serial port, {@code samples/vfio-mdev/mtty.c}: does what is written into it arrive? */
final class MttyChecks {
    private static final int BAR0 = 0;
    /** Registers of a 16550 serial port. */
    private static final int DATA = 0;

    private static final int MODEM_CONTROL = 4;
    private static final int SCRATCH = 7;
    /** A header of 24 bytes, and 36 for the one port. */
    private static final int STATE_BYTES = 60;

    private static final byte[] TEXT = "Bonjour".getBytes(StandardCharsets.US_ASCII);

    private final HostDevices devices;
    private final String first;
    private final String second;

    MttyChecks(HostDevices devices, String first, String second) {
        this.devices = devices;
        this.first = first;
        this.second = second;
    }

    List<Check> checks() {
        return List.of(
                new Check("mtty offers STOP_COPY, P2P and PRE_COPY, and a state of 60 bytes", this::abilities),
                new Check("mtty: registers and FIFO written at the source are read at the destination",
                        this::migration),
                new Check("mtty: a corrupt stream ends the session although the kernel would go on", this::corruption),
                new Check("mtty: descriptors stay constant over 200 sessions", this::descriptors));
    }

    private void abilities() throws Exception {
        try (Driven device = devices.open(first)) {
            demand(device.driver().features().equals(EnumSet.allOf(MigrationFeature.class)),
                    "features are %s", device.driver().features());
            LabChecks.demandStopCopySize(devices, device, STATE_BYTES);
        }
    }

    private void migration() throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            source.driver().reset();
            destination.driver().reset();
            Region from = source.open().device().region(BAR0);
            Region to = destination.open().device().region(BAR0);
            put(from, SCRATCH, 0x5A);
            put(from, MODEM_CONTROL, 0x0B);
            put(to, SCRATCH, 0x11);
            for (byte letter : TEXT) {
                put(from, DATA, letter);
            }
            LabChecks.migrate(source.driver(), destination.driver());
            demandState(source.driver(), DeviceState.STOP);
            demandState(destination.driver(), DeviceState.RUNNING);
            demand(get(to, SCRATCH) == 0x5A, "scratch is 0x%x", get(to, SCRATCH));
            demand(get(to, MODEM_CONTROL) == 0x0B, "modem control is 0x%x", get(to, MODEM_CONTROL));
            for (byte letter : TEXT) {
                int read = get(to, DATA);
                demand(read == letter, "the FIFO gives 0x%x instead of 0x%x", read, letter);
            }
        }
    }

    /** One write of a whole stream with a bad head: the kernel says EFAULT, and would load it at the next arc. */
    private void corruption() throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            ByteBuffer saved = save(source.driver());
            // The mark and length of the data record stand before the kernel's bytes.
            saved.put(16, (byte) ~saved.get(16));
            ResumingSession session = resuming(destination.driver());
            refusal(Errno.EFAULT, () -> session.write(saved));
            refusal(Errno.EIO, () -> session.write(ByteBuffer.allocate(1)));
            refusal(Errno.EINVAL, () -> destination.driver().step(Arc.RESUMING_TO_STOP));
            demandState(destination.driver(), DeviceState.RESUMING);
            destination.driver().reset();
            demandState(destination.driver(), DeviceState.RUNNING);
            source.driver().reset();
        }
    }

    private static ByteBuffer save(MigrationDriver source) throws IOException {
        take(source, Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
        SavingSession saving = (SavingSession) source.step(Arc.STOP_TO_STOP_COPY).orElseThrow();
        ByteBuffer saved = ByteBuffer.allocate(1 << 16);
        for (int count = 0; count >= 0; ) {
            count = saving.read(saved);
        }
        return saved.flip();
    }

    private void descriptors() throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            long before = OpenDescriptors.count();
            for (int i = 0; i < 100; i++) {
                take(source.driver(), Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
                SavingSession saving =
                        (SavingSession) source.driver().step(Arc.STOP_TO_STOP_COPY).orElseThrow();
                ResumingSession session = resuming(destination.driver());
                demand(pump(saving, session), "no end of the stream");
                take(source.driver(), Arc.STOP_COPY_TO_STOP, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_RUNNING);
                take(destination.driver(),
                        Arc.RESUMING_TO_STOP, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_RUNNING);
            }
            long after = OpenDescriptors.count();
            demand(after == before, "%d descriptors before, %d after", before, after);
        }
    }

    private static void put(Region region, int register, int value) throws Exception {
        region.write(register, new byte[] {(byte) value});
    }

    private static int get(Region region, int register) throws Exception {
        return region.read(register, 1)[0] & 0xFF;
    }
}
