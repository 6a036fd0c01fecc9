// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.OK;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Answer;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What the Linux driver sends, written out by hand with its lengths: set-up of the owner device, one whole save, one
 * whole load. It takes no list into use for the self group, leaves the list commands out of the one for its VFs, and
 * gives lengths that are no multiple of eight.
 */
class LinuxSequenceTest {

    //                                      opc  group reserved                  member id
    private static final String LIST_QUERY = "0000 0100 000000000000000000000000 0000000000000000";
    private static final String LIST_USE = "0100 0100 000000000000000000000000 0000000000000000";
    private static final String CAP_ID_LIST_QUERY = "0700 0000 000000000000000000000000 0000000000000000";
    private static final String DEVICE_CAP_GET =
            "0800 0000 000000000000000000000000 0000000000000000 0000 000000000000";
    private static final String DRIVER_CAP_SET =
            "0900 0000 000000000000000000000000 0000000000000000 0000 000000000000 ff ff";
    private static final String STOP = "1100 0100 000000000000000000000000 0100000000000000 01";
    private static final String RESUME = "1100 0100 000000000000000000000000 0100000000000000 00";
    private static final String CREATE_GET = "0a00 0100 000000000000000000000000 0100000000000000"
            + "0000 0000 00000000 0000000000000000 00 00000000000000";
    private static final String CREATE_SET = "0a00 0100 000000000000000000000000 0100000000000000"
            + "0000 0000 00000000 0000000000000000 01 00000000000000";
    private static final String DESTROY = "0d00 0100 000000000000000000000000 0100000000000000 0000 0000 00000000";
    private static final String METADATA_SIZE = "0e00 0100 000000000000000000000000 0100000000000000"
            + "0000 0000 00000000 00 00000000000000";
    private static final String GET_ALL = "0f00 0100 000000000000000000000000 0100000000000000"
            + "0000 0000 00000000 01 00000000000000";
    private static final String SET_OBJECT_0 =
            "1000 0100 000000000000000000000000 0100000000000000 0000 0000 00000000";

    /** Capability commands, CREATE and DESTROY, the parts commands, the mode; and those of the legacy interface. */
    private static final long MASK = 0x3E780L;
    private static final long LEGACY_MASK = 0x7CL;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    private static void setUp(Adapter adapter, long mask) {
        Answer offered = adapter.admin().send(LIST_QUERY, 8 + 8);
        assertThat(offered.hex()).startsWith(Hex.plain(OK));
        long list = Hex.number(offered.result(), 0, 8) & mask;
        assertThat(list & MASK).isEqualTo(MASK);
        adapter.admin().expect(LIST_USE + Hex.le64(list), 8, OK);
        adapter.admin().expect(CAP_ID_LIST_QUERY, 8 + 8, OK + "0100000000000000");
        adapter.admin().expect(DEVICE_CAP_GET, 8 + 2, OK + "ffff");
        adapter.admin().expect(DRIVER_CAP_SET, 8, OK);
    }

    private static byte[] save(Adapter adapter) {
        adapter.admin().expect(CREATE_GET, 8, OK);
        Answer metadata = adapter.admin().send(METADATA_SIZE, 8 + 8);
        assertThat(metadata.hex()).startsWith(Hex.plain(OK)).endsWith("00000000").hasSize(2 * 16);
        int size = (int) Hex.number(metadata.result(), 0, 4);
        Answer parts = adapter.admin().send(GET_ALL, 8 + size);
        assertThat(parts.hex()).startsWith(Hex.plain(OK));
        assertThat(parts.used()).isBetween(8 + 16, 8 + size);
        adapter.admin().expect(DESTROY, 8, OK);
        return parts.result();
    }

    private static void load(Adapter adapter, byte[] parts) {
        adapter.admin().expect(CREATE_SET, 8, OK);
        adapter.admin().expect(SET_OBJECT_0 + Hex.of(parts), 8, OK);
        adapter.admin().expect(DESTROY, 8, OK);
    }

    @Test
    void shouldTakeTheSequenceOfLinuxAsItStands() {
        Adapter source = emulator.adapter(1);
        Adapter destination = emulator.adapter(1);
        GuestDriver driver = new GuestDriver(source.function(1)).start();
        driver.postReceiveBuffers(4);
        driver.control(0, 1, (byte) 1);
        setUp(source, MASK);
        setUp(destination, MASK | LEGACY_MASK);
        source.admin().expect(STOP, 8, OK);
        byte[] parts = save(source);
        destination.admin().expect(STOP, 8, OK);
        load(destination, parts);
        assertThat(Hex.of(save(destination))).as("captured again").isEqualTo(Hex.of(parts));
        destination.admin().expect(RESUME, 8, OK);
        source.expectNoObjects();
        destination.expectNoObjects();
    }

    @Test
    void shouldCarryTheTrafficOnWhenLinuxMovesADevice() {
        Adapter source = emulator.adapter(1);
        Adapter destination = emulator.adapter(1);
        setUp(source, MASK);
        setUp(destination, MASK);
        GuestDriver driver = new GuestDriver(source.function(1)).start();
        driver.postReceiveBuffers(4);
        assertThat(source.cable(1).deliver(ByteBuffer.wrap(GuestDriver.frame(1)))).isEqualTo(Delivery.TAKEN);
        // Pre-copy: an image of the device while it runs, the last one when it is stopped.
        byte[] early = save(source);
        source.admin().expect(STOP, 8, OK);
        byte[] parts = save(source);
        destination.admin().expect(STOP, 8, OK);
        load(destination, early);
        load(destination, parts);
        List<Byte> sent = new ArrayList<>();
        destination.cable(1).connect(frame -> sent.add(frame.get(frame.position() + 20)));
        source.function(1).detach();
        driver.moveTo(destination.function(1));
        destination.admin().expect(RESUME, 8, OK);
        assertThat(destination.cable(1).deliver(ByteBuffer.wrap(GuestDriver.frame(2)))).isEqualTo(Delivery.TAKEN);
        assertThat(driver.queue(GuestDriver.RECEIVE).used()).as("frames in the guest's memory").isEqualTo(2);
        driver.transmit(GuestDriver.frame(3));
        assertThat(sent).containsExactly((byte) 3);
    }

    @Test
    void shouldAnswerEveryCommandOfLinuxThatFailsWithBytesThatLinuxKnows() {
        Adapter adapter = emulator.adapter(1);
        adapter.admin().expect(CAP_ID_LIST_QUERY, 16, "1600 0200 00000000");
        setUp(adapter, MASK);
        adapter.admin().expect(LIST_QUERY, 16, "1600 0200 00000000");
        adapter.admin().expect(LIST_USE + Hex.le64(MASK), 8, "1600 0200 00000000");
        adapter.admin().expect(DESTROY, 8, "0600 0300 00000000");
        adapter.admin().expect(METADATA_SIZE, 16, "0600 0300 00000000");
        adapter.admin().expect(CREATE_GET, 8, OK);
        adapter.admin().expect(CREATE_SET, 8, "1100 0300 00000000");
        adapter.admin().expect(GET_ALL, 8 + 15, "0c00 0600 00000000");
        adapter.admin().expect(SET_OBJECT_0, 8, "1600 0300 00000000");
        adapter.admin().expect(DRIVER_CAP_SET.replace("ff ff", "01 01"), 8, "1000 0100 00000000");
        adapter.admin().expect(STOP.replace("0100000000000000 01", "0200000000000000 01"), 8, "1600 0500 00000000");
        adapter.admin().expect(DESTROY, 8, OK);
    }
}
