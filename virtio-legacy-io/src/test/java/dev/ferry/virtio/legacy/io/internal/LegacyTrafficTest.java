// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.internal.owner.AdapterSettings;
import dev.ferry.emulator.internal.owner.CommandSet;
import dev.ferry.emulator.internal.owner.Latency;
import dev.ferry.emulator.internal.owner.OwnerDevice;
import dev.ferry.emulator.internal.owner.VirtioNetMembers;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An old guest on an emulated device, through the I/O BAR and nothing else; and its way to another host. */
class LegacyTrafficTest {

    private static final long MAC_AND_STATUS = 1L << 5 | 1L << 16;
    private static final int MSIX_CAP = 0x80;

    /** One host: an owner device with one member, and the guest on it. */
    private static final class Host implements AutoCloseable {
        final OwnerDevice device;
        final PciFunction function;
        final MemberLegacyIo io;
        final boolean msix;
        final DmaSpace dma = new DmaSpace();
        final ByteBuffer memory = ByteBuffer.allocate(LegacyDriver.MEMORY);
        final List<Integer> sent = new ArrayList<>();
        final LegacyDriver driver;

        Host(String name, boolean msix, boolean legacy) throws DeviceException {
            AdapterSettings settings = new AdapterSettings(
                    name, "pf0", 1, 1, 256, false, 255, 0, CommandSet.PARTS, legacy, true, Latency.NONE, 16);
            device = new OwnerDevice(settings, new VirtioNetMembers(settings));
            function = device.function(1);
            this.msix = msix;
            command("0100 0100", 0, legacy ? "ffff030000000000" : "83ff030000000000");
            command("0900 0000", 0, "0000000000000000 ffff");
            Owner owner = new Owner(
                    name + "/pf0", new OwnerCommands(name + "/pf0", device, new CommandTimeout("test")), device);
            io = new MemberLegacyIo(owner, 1, name + "/pf0/vf1");
            if (legacy) {
                io.open();
            }
            driver = new LegacyDriver(io, memory, msix);
            dma.map(LegacyDriver.BASE, memory.duplicate(), DmaSpace.Access.READ_WRITE);
            device.port(1).connect(frame -> sent.add(frame.duplicate().getInt(frame.limit() - 4)));
        }

        /** Configuration space as firmware or a hypervisor sets it, and memory behind the function. */
        void plugIn() throws DeviceException {
            io.writeConfig(0x10, 4, 0xC000);
            io.writeConfig(0x04, 2, 0x7);
            if (msix) {
                io.writeConfig(MSIX_CAP + 2, 2, 0x8000);
                for (int vector = 0; vector < 4; vector++) {
                    function.writeBar(4, vector * 16L, 4, 0xFEE0_0000L);
                    function.writeBar(4, vector * 16L + 12, 4, 0);
                }
            }
            function.attach(dma, (vector, address, data) -> driver.handle());
        }

        byte[] command(String opcodeAndGroup, int member, String data) {
            byte[] answer = new byte[16384];
            String address = "000000000000000000000000" + "%02x00000000000000".formatted(member);
            String command = opcodeAndGroup + address + data;
            int used = device.submit(
                            new ByteBuffer[] {ByteBuffer.wrap(HexFormat.of().parseHex(command.replace(" ", "")))},
                            new ByteBuffer[] {ByteBuffer.wrap(answer)})
                    .toCompletableFuture()
                    .join();
            assertThat(Arrays.copyOf(answer, 8)).as(command).containsOnly(0);
            return Arrays.copyOfRange(answer, 8, used);
        }

        /** Sends frames as the network does: again when the device is not ready. */
        void deliver(int from, int to) {
            for (int number = from; number < to; number++) {
                ByteBuffer frame = ByteBuffer.allocate(60).putShort(12, (short) 0x88B5).putInt(56, number);
                assertThat(deliver(frame)).isEqualTo(Delivery.TAKEN);
            }
        }

        private Delivery deliver(ByteBuffer frame) {
            Delivery delivery = device.port(1).deliver(frame);
            if (delivery == Delivery.NOT_READY && driver.poll()) {
                delivery = device.port(1).deliver(frame);
            }
            return delivery;
        }

        @Override
        public void close() {
            device.close();
        }
    }

    private final List<Host> hosts = new ArrayList<>();

    private Host host(String name, boolean msix, boolean legacy) throws DeviceException {
        Host host = new Host(name, msix, legacy);
        hosts.add(host);
        return host;
    }

    @AfterEach
    void close() {
        hosts.forEach(Host::close);
    }

    private static List<Integer> numbers(int to) {
        return IntStream.range(0, to).boxed().toList();
    }

    @Test
    void shouldLetAnOldGuestFindItsDevice() throws Exception {
        Host host = host("host1", false, true);
        assertThat(host.io.readConfig(0, 4)).isEqualTo(0x1000_1AF4L);
        host.plugIn();
        assertThat(host.io.readConfig(0x10, 4)).isEqualTo(0xC001);
        assertThat(host.driver.mac()).startsWith(0x02).endsWith(0, 1);
        assertThat(host.driver.linkStatus()).isEqualTo(1);
        assertThat(host.function.readConfig(0, 4)).as("the function itself").isEqualTo(0x1041_1AF4L);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldCarryFramesBothWays(boolean msix) throws Exception {
        Host host = host("host1", msix, true);
        host.plugIn();
        host.driver.start(MAC_AND_STATUS);
        host.deliver(0, 1000);
        if (!msix) {
            host.driver.poll();
        }
        assertThat(host.sent).isEqualTo(numbers(1000));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldStartAgainAfterTheGuestResetTheDevice(boolean msix) throws Exception {
        Host host = host("host1", msix, true);
        host.plugIn();
        for (int round = 0; round < 3; round++) {
            Arrays.fill(host.memory.array(), (byte) 0);
            host.driver.start(MAC_AND_STATUS);
            host.sent.clear();
            host.deliver(0, 300);
            host.driver.poll();
            assertThat(host.sent).isEqualTo(numbers(300));
        }
    }

    @Test
    void shouldWriteTheHeaderOfTwelveBytesWhenBuffersAreMerged() throws Exception {
        Host host = host("host1", false, true);
        host.plugIn();
        host.driver.start(MAC_AND_STATUS | 1L << 15);
        ByteBuffer frame = ByteBuffer.allocate(60).putInt(56, 77);
        assertThat(host.device.port(1).deliver(frame)).isEqualTo(Delivery.TAKEN);
        int buffer = 0x2_0000;
        assertThat(host.memory.getShort(buffer + 10)).as("num_buffers").isEqualTo((short) 1);
        assertThat(host.memory.getInt(0x2000 + 8)).as("used length").isEqualTo(72);
    }

    /** Moves a stopped device and the memory, then PCI configuration, as a hypervisor does. */
    private static void move(Host source, Host destination) throws DeviceException {
        source.command("1100 0100", 1, "01");
        source.command("0a00 0100", 1, "0000000000000000 0000000000000000 0000000000000000");
        byte[] parts = source.command("0f00 0100", 1, "0000000000000000 0100000000000000");
        source.command("0d00 0100", 1, "0000000000000000");
        source.function.detach();

        destination.memory.put(0, source.memory, 0, LegacyDriver.MEMORY);
        destination.command("1100 0100", 1, "01");
        destination.command("0a00 0100", 1, "0000000000000000 0000000000000000 0100000000000000");
        destination.command("1000 0100", 1, "0000000000000000" + HexFormat.of().formatHex(parts));
        destination.command("0a00 0100", 1, "0000000001000000 0000000000000000 0000000000000000");
        assertThat(destination.command("0f00 0100", 1, "0000000001000000 0100000000000000"))
                .as("captured again")
                .isEqualTo(parts);
        destination.plugIn();
        destination.command("1100 0100", 1, "00");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldLoseAndRepeatNoFrameWhenTheGuestMoves(boolean msix) throws Exception {
        Host source = host("host1", msix, true);
        Host destination = host("host2", msix, true);
        source.plugIn();
        source.driver.start(MAC_AND_STATUS);
        source.deliver(0, 500);
        // What the guest has not looked at yet: with MSI-X nothing, else up to 20 frames.
        byte[] mac = source.driver.mac();

        move(source, destination);

        assertThat(destination.driver.mac()).isEqualTo(mac);
        assertThat(destination.driver.in(4, 4)).isEqualTo(MAC_AND_STATUS);
        assertThat(destination.driver.in(18, 1)).isEqualTo(7);
        destination.deliver(500, 1000);
        destination.driver.poll();
        List<Integer> all = new ArrayList<>(source.sent);
        all.addAll(destination.sent);
        assertThat(all).isEqualTo(numbers(1000));
        assertThat(destination.sent).hasSizeGreaterThanOrEqualTo(500);
    }

    @Test
    void shouldCarryWhatTheControlQueueConfigured() throws Exception {
        Host source = host("host1", false, true);
        Host destination = host("host2", false, true);
        source.plugIn();
        source.driver.start(MAC_AND_STATUS | 1L << 17 | 1L << 18);
        source.driver.setUpControlQueue();
        ByteBuffer toAnother = ByteBuffer.allocate(60).put(0, (byte) 0x02).put(5, (byte) 0x77);
        assertThat(source.device.port(1).deliver(toAnother)).isEqualTo(Delivery.FILTERED);
        assertThat(source.driver.control(0, 0, 1)).as("promiscuous").isZero();
        assertThat(source.driver.control(2, 0, 1)).as("a command that was not negotiated").isEqualTo(1);
        assertThat(source.device.port(1).deliver(toAnother)).isEqualTo(Delivery.TAKEN);

        move(source, destination);

        assertThat(destination.device.port(1).deliver(toAnother)).isEqualTo(Delivery.TAKEN);
        assertThat(destination.driver.control(0, 0, 0)).isZero();
        assertThat(destination.device.port(1).deliver(toAnother)).isEqualTo(Delivery.FILTERED);
    }

    @Test
    void shouldInterruptOnceAfterTheMoveWhenTheGuestPolls() throws Exception {
        Host source = host("host1", false, true);
        Host destination = host("host2", false, true);
        source.plugIn();
        source.driver.start(MAC_AND_STATUS);
        source.deliver(0, 20);
        assertThat(source.sent).as("the guest has not looked").isEmpty();

        move(source, destination);

        assertThat(destination.driver.poll()).as("an interrupt was pending at the source").isTrue();
        assertThat(destination.sent).isEqualTo(numbers(20));
    }

    @Test
    void shouldMoveAGuestThatIsSettingUpItsDevice() throws Exception {
        Host source = host("host1", false, true);
        Host destination = host("host2", false, true);
        source.plugIn();
        source.driver.out(18, 1, 3);
        source.driver.out(4, 4, MAC_AND_STATUS);
        source.driver.out(14, 2, 1);
        source.driver.out(8, 4, 0x40008);

        move(source, destination);

        assertThat(destination.driver.in(18, 1)).isEqualTo(3);
        assertThat(destination.driver.in(4, 4)).isEqualTo(MAC_AND_STATUS);
        assertThat(destination.driver.in(14, 2)).isEqualTo(1);
        assertThat(destination.driver.in(8, 4)).isEqualTo(0x40008);
    }

    @Test
    void shouldRefuseTheGuestWhereThereIsNoLegacyInterface() throws Exception {
        Host source = host("host1", false, true);
        Host destination = host("host2", false, false);
        source.plugIn();
        source.driver.start(MAC_AND_STATUS);
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> move(source, destination)))
                .hasMessageContaining("1000 0100");
        assertThat(destination.function.readConfig(4, 2)).isZero();
        source.command("1100 0100", 1, "00");
        source.function.attach(source.dma, (vector, address, data) -> {});
        source.deliver(0, 10);
        source.driver.poll();
        assertThat(source.sent).isEqualTo(numbers(10));
    }
}
