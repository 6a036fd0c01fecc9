// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;

import dev.ferry.contract.Check;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Descriptors and memory over many data transfer sessions. Arguments: {@code auto}, {@code group} or {@code cdev}, two
 * devices, and the number of sessions, two for each migration. Run it with a small heap that is touched from the start,
 * so that what grows is native memory.
 */
public final class ManySessions {
    /** Classes that load late, and blocks of the allocator, are a third. A leak of 105 bytes a session is more. */
    private static final long MOST_GROWTH_KIB = 1024;
    /** After so many migrations, nearly everything that is made once was made. */
    private static final int WARM_UP = 250;

    private static final int BUFFER_BYTES = 1 << 14;

    private ManySessions() {}

    /** Runs the check. */
    public static void main(String[] arguments) {
        HostDevices devices = new HostDevices(arguments[0]);
        int sessions = Integer.parseInt(arguments[3]);
        Check check = new Check("descriptors and native memory stay constant over %,d sessions".formatted(sessions),
                () -> run(devices, arguments[1], arguments[2], sessions / 2));
        System.exit(LabChecks.run(List.of(check)));
    }

    private static void run(HostDevices devices, String first, String second, int migrations) throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            LabChecks.take(source.driver(), Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
            LabChecks.take(destination.driver(), Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
            move(source.driver(), destination.driver(), WARM_UP);
            long descriptors = OpenDescriptors.count();
            long memory = anonymousKib();
            move(source.driver(), destination.driver(), migrations);
            long growth = anonymousKib() - memory;
            System.out.println("      %d descriptors; %,d KiB of memory, grown by %,d KiB"
                    .formatted(descriptors, memory, growth));
            demand(OpenDescriptors.count() == descriptors, "descriptors were %d and are %d", descriptors,
                    OpenDescriptors.count());
            demand(growth <= MOST_GROWTH_KIB, "memory grew by %d KiB", growth);
        }
    }

    /** Moves the state of one stopped device into another, again and again: two sessions each time. */
    private static void move(MigrationDriver source, MigrationDriver destination, int times) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        for (int i = 0; i < times; i++) {
            SavingSession saving = (SavingSession) source.step(Arc.STOP_TO_STOP_COPY).orElseThrow();
            ResumingSession resuming =
                    (ResumingSession) destination.step(Arc.STOP_TO_RESUMING).orElseThrow();
            demand(LabChecks.pump(saving, resuming, buffer), "no end of the stream");
            source.step(Arc.STOP_COPY_TO_STOP);
            destination.step(Arc.RESUMING_TO_STOP);
        }
    }

    private static long anonymousKib() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow(() -> new IOException("the kernel does not tell RssAnon"));
    }
}
