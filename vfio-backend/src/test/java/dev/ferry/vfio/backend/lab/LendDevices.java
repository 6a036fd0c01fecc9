// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;

import dev.ferry.contract.Check;
import dev.ferry.fsm.DeviceState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A VMM, as far as the application sees: has two {@code mtty} devices open, lends them to the running application by
 * its handover socket, and wants them back when it has migrated from the first to the second. Arguments: {@code shipped}
 * or {@code iommufd} for the {@link KernelFlavor}; the socket; a file to make when both are lent; a file that appears when
 * the migration is over; two devices.
 */
public final class LendDevices {
    private static final long MOST_SECONDS = 300;
    private static final int LOOK_AGAIN_MILLIS = 50;
    private static final int MTTY_SCRATCH = 7;
    private static final byte CONTENT = 0x4C;

    private final KernelFlavor flavor;
    private final Path socket;
    private final Path lent;
    private final Path migrated;
    private final LentDevice first;
    private final LentDevice second;

    private LendDevices(
            KernelFlavor flavor, Path socket, Path lent, Path migrated, LentDevice first, LentDevice second) {
        this.flavor = flavor;
        this.socket = socket;
        this.lent = lent;
        this.migrated = migrated;
        this.first = first;
        this.second = second;
    }

    /** Lends, waits, and looks at what came of it. */
    public static void main(String[] arguments) throws Exception {
        KernelFlavor flavor = KernelFlavor.of(arguments[0]);
        HostDevices devices = new HostDevices("auto");
        int failed;
        try (LentDevice first = new LentDevice(devices, arguments[4]);
                LentDevice second = new LentDevice(devices, arguments[5])) {
            failed = LabChecks.run(new LendDevices(flavor, Path.of(arguments[1]), Path.of(arguments[2]),
                    Path.of(arguments[3]), first, second).checks());
        }
        System.exit(failed == 0 ? 0 : 1);
    }

    private List<Check> checks() {
        return List.of(
                new Check("handover: a device under another's name is refused, where the kernel tells them apart",
                        this::misnamed),
                new Check("handover: two open devices are lent to the running application", this::lend),
                new Check("handover: the state has moved between them when they are returned", this::returned));
    }

    private void misnamed() throws Exception {
        await(socket);
        if (flavor == KernelFlavor.SHIPPED && !KernelFlavor.isRelease(6, 17)) {
            System.out.println("      not told apart by this kernel");
            return;
        }
        String answer = second.lendAs(socket, first.name());
        demand(answer.startsWith("refused EINVAL the descriptor is of another device than " + first.name()),
                "%s", answer);
    }

    private void lend() throws Exception {
        first.registers().write(MTTY_SCRATCH, new byte[] {CONTENT});
        second.registers().write(MTTY_SCRATCH, new byte[1]);
        for (LentDevice device : List.of(first, second)) {
            String answer = device.lend(socket);
            demand(answer.equals("ok lab/" + device.name()), "%s", answer);
        }
        Files.createFile(lent);
    }

    private void returned() throws Exception {
        demand(Files.exists(lent), "nothing was lent");
        await(migrated);
        demandState(first, DeviceState.STOP);
        for (LentDevice device : List.of(first, second)) {
            String answer = device.takeBack();
            demand(answer.equals("ok"), "%s", answer);
        }
        // What left with its state is reset before the application lets go of it.
        demandState(first, DeviceState.RUNNING);
        demandState(second, DeviceState.RUNNING);
        byte found = second.registers().read(MTTY_SCRATCH, 1)[0];
        demand(found == CONTENT, "the destination holds 0x%x", found);
    }

    /** Asked by the owner's own descriptor. */
    private static void demandState(LentDevice device, DeviceState state) throws Exception {
        DeviceState now = device.device().state();
        demand(now == state, "%s is in %s instead of %s", device.name(), now, state);
    }

    private static void await(Path file) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
        while (!Files.exists(file)) {
            demand(System.nanoTime() < deadline, "%s does not appear in %d s", file, MOST_SECONDS);
            TimeUnit.MILLISECONDS.sleep(LOOK_AGAIN_MILLIS);
        }
    }
}
