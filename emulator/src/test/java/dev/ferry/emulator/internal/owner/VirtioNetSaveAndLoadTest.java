// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.create;
import static dev.ferry.emulator.internal.owner.Bench.object;
import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The state of a virtio-net VF with one queue pair, as bytes from the text, through the admin queue and back. */
class VirtioNetSaveAndLoadTest {

    private static final String OK = "0000 0000 00000000";
    private static final String INVALID_FIELD = "1600 0300 00000000";
    private static final int SPACE = 4096;

    /** Offered: bits 5, 15 to 21, 23, 28, 29, 32, 33, 34, 36, 40, 57. */
    private static final String OFFERED = "0001 01 00 0000000000000000 08000000" + "2080bf3017010002";
    /** Taken: bits 5, 16, 17, 18, 32. */
    private static final String TAKEN = "0101 00 00 0000000000000000 08000000" + "2000070001000000";

    private static final String COMMON_CONFIG = "0201 00 00 00000000 00000000 04000000" + "01000000"
            + "0201 00 00 08000000 00000000 04000000" + "01000000"
            + "0201 00 00 10000000 00000000 02000000" + "0000"
            + "0201 00 00 12000000 00000000 02000000" + "0300"
            + "0201 00 00 15000000 00000000 01000000" + "00"
            + "0201 00 00 16000000 00000000 02000000" + "0200";

    private static final String STATUS = "0301 00 00 0000000000000000 01000000" + "0f";

    /** Size 128, own vector, enabled, addresses 0x100n0000, 0x100n1000, 0x100n2000. */
    private static final String QUEUES = "0401 00 00 0000 000000000000 20000000"
            + "8000 0100 0100 0000 0000001000000000 0010001000000000 0020001000000000"
            + "0401 00 00 0100 000000000000 20000000"
            + "8000 0200 0100 0000 0000011000000000 0010011000000000 0020011000000000"
            + "0401 00 00 0200 000000000000 20000000"
            + "8000 0300 0100 0000 0000021000000000 0010021000000000 0020021000000000";

    private static final String NOTIFICATIONS = "0501 00 00 0000 000000000000 08000000" + "0000 0000 00000000"
            + "0501 00 00 0100 000000000000 08000000" + "0100 0000 00000000"
            + "0501 00 00 0200 000000000000 08000000" + "0200 0000 00000000";

    /** PROMISC on, ALLMULTI off, one unicast and two multicast addresses, the own address. */
    private static final String CONTROLS = "0002 00 00 00 00 000000000000 01000000" + "01"
            + "0002 00 00 00 01 000000000000 01000000" + "00"
            + "0002 00 00 01 00 000000000000 1a000000"
            + "01000000 020000000001 02000000 01005e000001 333300000001"
            + "0002 00 00 01 01 000000000000 06000000" + "020000000005";

    static final String IMAGE =
            OFFERED + TAKEN + COMMON_CONFIG + STATUS + QUEUES + NOTIFICATIONS + CONTROLS;

    private final OwnerDevice owner =
            new OwnerDevice(Bench.settings(2, false), new VirtioNetMembers(Bench.settings(2, false)));

    @BeforeEach
    void stopMembersAndCreateObjects() {
        assertThat(execute(Bench.USE_LINUX)).isEqualTo(plain(OK));
        assertThat(execute(Bench.SET_CAPABILITY)).isEqualTo(plain(OK));
        for (int member = 1; member <= 2; member++) {
            assertThat(execute(toMember(0x11, member, "01"))).isEqualTo(plain(OK));
            assertThat(execute(create(member, 2 * member, 0))).isEqualTo(plain(OK));
            assertThat(execute(create(member, 2 * member + 1, 1))).isEqualTo(plain(OK));
        }
    }

    @AfterEach
    void close() {
        owner.close();
    }

    private String execute(String readable) {
        return Bench.execute(owner, readable, SPACE);
    }

    private String get(int member) {
        return execute(toMember(0x0f, member, object(2 * member) + "0100000000000000"));
    }

    private String set(int member, String parts) {
        return execute(toMember(0x10, member, object(2 * member + 1) + parts));
    }

    @Test
    void shouldCarryAWholeStateFromOneMemberToAnother() {
        assertThat(set(1, IMAGE)).isEqualTo(plain(OK));
        String saved = get(1);
        assertThat(saved).isEqualTo(plain(OK + IMAGE));
        assertThat(get(2)).isNotEqualTo(saved);

        assertThat(set(2, saved.substring(OK.replace(" ", "").length()))).isEqualTo(plain(OK));
        assertThat(get(2)).isEqualTo(saved);
    }

    @Test
    void shouldListTheHeadersOfThePartsThatItGives() {
        set(1, IMAGE);
        String list = execute(toMember(0x0e, 1, object(2) + "02"));
        assertThat(list).startsWith(plain(OK + "13000000 00000000" + OFFERED.substring(0, 36)));
        assertThat(list.length() / 2).isEqualTo(16 + 19 * 16);
        assertThat(execute(toMember(0x0e, 1, object(2) + "01"))).isEqualTo(plain(OK + "13000000 00000000"));
    }

    @Test
    void shouldGiveOnePartByItsSelector() {
        set(1, IMAGE);
        String secondQueue = "0401 00 00 0100 000000000000 00000000";
        assertThat(execute(toMember(0x0f, 1, object(2) + "0000000000000000" + secondQueue)))
                .isEqualTo(plain(OK + QUEUES.substring(QUEUES.indexOf("0401", 5)).split("0401 00 00 0200")[0]));
    }

    /** Where the device is in three packed queues of 128: at 5 in the first round, 127 in the second, the beginning. */
    private static final String POSITIONS = "00ff 01 00 0000 000000000000 04000000" + "0580 0580"
            + "00ff 01 00 0100 000000000000 04000000" + "7f00 7f00"
            + "00ff 01 00 0200 000000000000 04000000" + "0080 0080";

    private static final String PACKED_IMAGE = IMAGE.replace("2000070001000000", "2000070005000000") + POSITIONS;

    @Test
    void shouldCarryPositionsOfPackedQueues() {
        assertThat(set(1, PACKED_IMAGE.substring(0, PACKED_IMAGE.indexOf(POSITIONS))))
                .as("nobody knows where the device is")
                .isEqualTo(plain(INVALID_FIELD));
        assertThat(set(1, PACKED_IMAGE)).isEqualTo(plain(OK));
        assertThat(get(1)).isEqualTo(plain(OK + PACKED_IMAGE));
        assertThat(execute(toMember(0x0e, 1, object(2) + "01"))).isEqualTo(plain(OK + "16000000 00000000"));
        assertThat(execute(toMember(0x0e, 1, object(2) + "02")))
                .endsWith(plain("00ff 01 00 0200 000000000000 04000000"));
        String selected = "00ff 01 00 0100 000000000000 00000000" + "00ff 01 00 0300 000000000000 00000000"
                + "0301 00 00 0000000000000000 00000000";
        assertThat(execute(toMember(0x0f, 1, object(2) + "0000000000000000" + selected)))
                .as("in table order, and what is not there left out")
                .isEqualTo(plain(OK
                        + STATUS
                        + POSITIONS.substring(POSITIONS.indexOf("00ff", 1)).split("00ff 01 00 0200")[0]));
    }

    @Test
    void shouldChangeNothingWhenOnePartIsRefused() {
        set(1, IMAGE);
        String before = get(1);
        assertThat(set(1, TAKEN + STATUS.replace("0f", "10"))).isEqualTo(plain(INVALID_FIELD));
        assertThat(set(1, IMAGE.substring(0, IMAGE.length() - 2))).isEqualTo(plain(INVALID_FIELD));
        assertThat(set(1, STATUS + TAKEN)).as("out of order").isEqualTo(plain(INVALID_FIELD));
        assertThat(get(1)).isEqualTo(before);
    }

    @Test
    void shouldTakePartsOnlyWhileStopped() {
        assertThat(execute(toMember(0x11, 1, "00"))).isEqualTo(plain(OK));
        assertThat(set(1, IMAGE)).startsWith("1600");
    }
}
