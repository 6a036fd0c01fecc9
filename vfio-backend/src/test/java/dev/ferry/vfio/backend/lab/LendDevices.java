// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;

import dev.ferry.contract.Check;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.handover.HandoverClient;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A VMM, as far as the application sees: has two {@code mtty} devices open, lends them to the running application by
 * its handover socket, and wants them back when it has migrated from the first to the second. Arguments: {@code
 * shipped} or {@code iommufd} for the {@link KernelFlavor}; the socket; a file to make when both are lent; a file that
 * appears when the migration is over; the number of a user who may lend; two devices; a PCI function that is no
 * {@code mtty}. No other process than the application may have devices open in the way in which this one has them.
 */
public final class LendDevices {
    private static final long MOST_SECONDS = 300;
    private static final int LOOK_AGAIN_MILLIS = 50;
    private static final int MTTY_SCRATCH = 7;
    private static final byte CONTENT = 0x4C;
    /** Of a device: its own, and that of its container or iommufd. */
    private static final int FILES = 2;

    private final SystemCalls calls = new LinuxSystemCalls();
    private final KernelFlavor flavor;
    private final Path socket;
    private final Path lent;
    private final Path migrated;
    private final int user;
    private final LentDevice first;
    private final LentDevice second;
    private final String function;

    private LendDevices(KernelFlavor flavor, String[] arguments, LentDevice first, LentDevice second) {
        this.flavor = flavor;
        this.socket = Path.of(arguments[1]);
        this.lent = Path.of(arguments[2]);
        this.migrated = Path.of(arguments[3]);
        this.user = Integer.parseInt(arguments[4]);
        this.first = first;
        this.second = second;
        this.function = arguments[7];
    }

    /** Lends, waits, and looks at what came of it. */
    public static void main(String[] arguments) throws Exception {
        KernelFlavor flavor = KernelFlavor.of(arguments[0]);
        HostDevices devices = new HostDevices("auto");
        boolean byGroup = flavor == KernelFlavor.SHIPPED;
        int failed;
        try (LentDevice first = new LentDevice(devices, arguments[5], byGroup);
                LentDevice second = new LentDevice(devices, arguments[6], byGroup)) {
            failed = LabChecks.run(new LendDevices(flavor, arguments, first, second).checks());
        }
        System.exit(failed == 0 ? 0 : 1);
    }

    private List<Check> checks() {
        List<Check> checks = new ArrayList<>(List.of(
                new Check("handover: users who are not configured are refused, by the kernel's word", this::otherUsers),
                new Check("handover: what is no loan is refused with a reason, and its descriptors closed",
                        this::noLoan),
                new Check("handover: a device under another's name is refused, also another of its kind on new kernels",
                        this::misnamed),
                new Check("handover: a second device on one connection is refused; what it lent is let go of",
                        this::twoOnOne),
                new Check("handover: two open devices are lent to the running application, each once", this::lend),
                new Check("handover: the state has moved between them when they are returned", this::returned),
                new Check("handover: a returned device is lent again; it is let go of when its program ends",
                        this::again)));
        if (flavor == KernelFlavor.SHIPPED) {
            checks.add(checks.size() - 1, new Check(
                    "handover: what the program records in its containers, it records still", this::recording));
        }
        return checks;
    }

    private void otherUsers() throws Exception {
        await("the socket " + socket, () -> Files.exists(socket));
        String refusal = "refused EACCES user " + (user + 1) + " may not hand devices over at " + socket;
        try (HandoverClient stranger = connect(user + 1)) {
            demandAnswer(stranger.hear(), refusal::equals);
            demandAnswer(stranger.hear(), String::isEmpty);
        }
        try (HandoverClient known = connect(user)) {
            demandAnswer(known.ask(first.offer("none-such"), first.descriptors()),
                    ("refused ENODEV there is no PCI function or mediated device none-such in this host; "
                            + "correct the name")::equals);
        }
    }

    /** By another user: only who connects counts. */
    private HandoverClient connect(int other) {
        return EffectiveUser.call(other, () -> new HandoverClient(calls, socket));
    }

    private void noLoan() throws Exception {
        int[] both = first.descriptors();
        int[] noDevice = {calls.open("/dev/null", Posix.O_RDWR | Posix.O_CLOEXEC), both[1]};
        String offer = first.offer(first.name());
        refused("a message begins with ferry-vfio 1", "ferry-vfio?", both);
        refused("version 1 of the protocol is spoken here", "ferry-vfio 2 lend " + first.name(), both[0]);
        refused("say: lend DEVICE", "ferry-vfio 1 borrow " + first.name(), both);
        refused("2 descriptors belong to this message, not 1", offer, both[0]);
        refused("1 descriptors belong to this message, not 2", "ferry-vfio 1 lend " + first.name(), both);
        refused("the message is too long, or has too many descriptors", offer,
                both[0], both[0], both[0], both[0], both[0]);
        refused("the first descriptor is of no VFIO device", offer, noDevice);
        calls.close(noDevice[0]);
        demandFiles(0);
    }

    private void refused(String sentence, String message, int... descriptors) {
        try (HandoverClient connection = new HandoverClient(calls, socket)) {
            demandAnswer(
                    connection.ask(message, descriptors), answer -> answer.startsWith("refused EINVAL " + sentence));
            demandAnswer(connection.hear(), String::isEmpty);
        }
    }

    private static void demandAnswer(String answer, Predicate<String> expected) {
        demand(expected.test(answer), "the answer is '%s'", answer);
    }

    /** A PCI function's vendor and device are told by every kernel; of two devices alike the newer ones tell which. */
    private void misnamed() throws Exception {
        demandMisnamed(function);
        if (flavor == KernelFlavor.IOMMUFD || KernelFlavor.isRelease(6, 17)) {
            demandMisnamed(first.name());
        }
        demandFiles(0);
    }

    private void demandMisnamed(String name) {
        refused("the descriptor is of another device than " + name, second.offer(name), second.descriptors());
    }

    private void twoOnOne() throws Exception {
        try (HandoverClient connection = new HandoverClient(calls, socket)) {
            demandAnswer(first.lendOn(connection, first.name()), isServed(first));
            demandFiles(FILES);
            demandAnswer(second.lendOn(connection, second.name()),
                    ("refused EINVAL one device is handed over on a connection, and " + first.name() + " is")::equals);
            await("end of what " + first.name() + " was lent for", () -> files() == 0);
        }
        demandState(first, DeviceState.RUNNING);
    }

    private static Predicate<String> isServed(LentDevice device) {
        return ("ok lab/" + device.name())::equals;
    }

    private void lend() throws Exception {
        first.registers().write(MTTY_SCRATCH, new byte[] {CONTENT});
        second.registers().write(MTTY_SCRATCH, new byte[1]);
        for (LentDevice device : List.of(first, second)) {
            if (flavor == KernelFlavor.SHIPPED) {
                device.record();
            }
            demandAnswer(device.lend(socket), isServed(device));
        }
        try (HandoverClient other = new HandoverClient(calls, socket)) {
            demandAnswer(first.lendOn(other, first.name()),
                    ("refused EBUSY lab/" + first.name() + " is open already")::equals);
        }
        demandFiles(2 * FILES);
        Files.createFile(lent);
    }

    private void returned() throws Exception {
        demand(Files.exists(lent), "nothing was lent");
        await("end of the migration", () -> Files.exists(migrated));
        demandState(first, DeviceState.STOP);
        int left = 2 * FILES;
        for (LentDevice device : List.of(first, second)) {
            demandAnswer(device.takeBack(), "ok"::equals);
            left -= FILES;
            demandFiles(left);
        }
        // What left with its state is reset before the application lets go of it.
        demandState(first, DeviceState.RUNNING);
        demandState(second, DeviceState.RUNNING);
        byte found = second.registers().read(MTTY_SCRATCH, 1)[0];
        demand(found == CONTENT, "the destination holds 0x%x", found);
    }

    /** A record that the application had begun or ended would be gone. */
    private void recording() {
        demand(first.isRecording() && second.isRecording(), "no record of dirty pages any more");
    }

    private void again() throws Exception {
        for (LentDevice device : List.of(first, second)) {
            demandAnswer(device.lend(socket), isServed(device));
        }
        demandFiles(2 * FILES);
        first.end();
        second.end();
        await("end of what they were lent for", () -> files() == 0);
    }

    /** Demands that the application has so many files open of devices that are lent. */
    private void demandFiles(int expected) throws IOException {
        long files = files();
        demand(files == expected, "the application has %d files of lent devices instead of %d", files, expected);
    }

    private long files() throws IOException {
        return OpenDescriptors.ofOthers(flavor == KernelFlavor.SHIPPED
                ? file -> file.equals("anon_inode:[vfio-device]") || file.equals("/dev/vfio/vfio")
                : file -> file.startsWith("/dev/vfio/devices/") || file.equals("/dev/iommu"));
    }

    /** Asked by the owner's own descriptor. */
    private static void demandState(LentDevice device, DeviceState state) throws Exception {
        DeviceState now = device.device().state();
        demand(now == state, "%s is in %s instead of %s", device.name(), now, state);
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
        while (!condition.holds()) {
            demand(System.nanoTime() < deadline, "%s does not come in %d s", what, MOST_SECONDS);
            TimeUnit.MILLISECONDS.sleep(LOOK_AGAIN_MILLIS);
        }
    }
}
