// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The legacy commands byte for byte. */
class LegacyCommandsTest extends LegacyFixture {
    private static final String INVALID_OPCODE = "1600 0200 00000000";
    private static final String INVALID_FIELD = "1600 0300 00000000";
    private static final String INVALID_GROUP = "1600 0400 00000000";
    private static final String INVALID_MEMBER = "1600 0500 00000000";
    private static final int MSIX_CAP = 0x80;

    private void enableMsix() {
        function.writeConfig(MSIX_CAP + 2, 2, 0x8000);
    }

    @Test
    void shouldReportTheFiveCommandsForMembersOnly() {
        assertThat(execute(Bench.toMember(0, 0, ""), 16)).isEqualTo(plain(OK + "ffff030000000000"));
        assertThat(execute(Bench.toSelf(0, ""), 16)).isEqualTo(plain(OK + "8303000000000000"));
        String toNobody = "000000000000000000000000 0000000000000000 00";
        assertThat(execute("0300 0000" + toNobody, 12)).isEqualTo(plain(INVALID_OPCODE));
        assertThat(execute("0300 0200" + toNobody, 12)).isEqualTo(plain(INVALID_GROUP));
        assertThat(execute(Bench.toMember(COMMON_READ, 3, "00"), 12)).isEqualTo(plain(INVALID_MEMBER));
        assertThat(execute(Bench.toMember(COMMON_READ, 0, "00"), 12)).isEqualTo(plain(INVALID_MEMBER));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6})
    void shouldHaveNoneOfThemWhenConfiguredWithout(int opcode) {
        AdapterSettings without = Adapters.parts("host1", "pf0", 1, 1, 256, false, 255, false);
        try (OwnerDevice plain = new OwnerDevice(without, new VirtioNetMembers(without))) {
            assertThat(answer(plain, Bench.toMember(0, 0, ""))).isEqualTo(plain(OK + "83ff030000000000"));
            assertThat(answer(plain, Bench.toMember(1, 0, "83ff030000000000"))).startsWith(plain(OK));
            assertThat(answer(plain, Bench.toMember(opcode, 1, ""))).startsWith(plain(INVALID_OPCODE));
        }
    }

    private static String answer(OwnerDevice device, String readable) {
        return Bench.execute(device, readable, 16);
    }

    @Test
    void shouldShowTheFieldsAsAfterReset() {
        // MAC 5, MRG_RXBUF to CTRL_RX_EXTRA 15-20, ANNOUNCE 21, CTRL_MAC_ADDR 23, INDIRECT 28, EVENT_IDX 29.
        expectRead(COMMON_READ, 0, "2080bf30");
        expectRead(COMMON_READ, 4, "00000000");
        expectRead(COMMON_READ, 8, "00000000");
        expectRead(COMMON_READ, 12, "0001");
        expectRead(COMMON_READ, 14, "0000");
        expectRead(COMMON_READ, 16, "0000");
        expectRead(COMMON_READ, 18, "00");
        expectRead(COMMON_READ, 19, "00");
        expectRead(DEV_READ, 6, "0100");
        expectRead(DEV_READ, 8, "0100");
        expectRead(DEV_READ, 10, "0000");
    }

    @Test
    void shouldHaveTheVectorsOnlyWhileMsixIsEnabled() {
        assertThat(read(COMMON_READ, 20, 2)).isEqualTo(plain(INVALID_FIELD));
        assertThat(write(COMMON_WRITE, 22, "0100")).isEqualTo(plain(INVALID_FIELD));
        enableMsix();
        expectRead(COMMON_READ, 20, "ffff");
        expectRead(COMMON_READ, 22, "ffff");
        expectWritten(COMMON_WRITE, 20, "0300");
        expectWritten(COMMON_WRITE, 22, "0100");
        expectRead(COMMON_READ, 20, "0300");
        expectRead(COMMON_READ, 22, "0100");
        expectWritten(COMMON_WRITE, 22, "0400");
        expectRead(COMMON_READ, 22, "ffff");
    }

    @ParameterizedTest(name = "{0} bytes at {1}")
    @CsvSource({
        "4, 12", "2, 0", "1, 0", "4, 2", "2, 10", "2, 13", "2, 17", "2, 18", "1, 14", "1, 17", "2, 19", "1, 20",
        "2, 22", "1, 24", "2, 255", "4, 18", "7, 0", "0, 0", "3, 4"
    })
    void shouldRefuseAnAccessThatIsNotOneWholeField(int bytes, int offset) {
        assertThat(read(COMMON_READ, offset, bytes)).isEqualTo(plain(INVALID_FIELD));
        assertThat(write(COMMON_WRITE, offset, "01".repeat(bytes))).isEqualTo(plain(INVALID_FIELD));
        expectRead(COMMON_READ, 4, "00000000");
        expectRead(COMMON_READ, 14, "0000");
        expectRead(COMMON_READ, 18, "00");
    }

    @ParameterizedTest(name = "{0} bytes at {1}")
    @CsvSource({"7, 0", "2, 5", "3, 4", "4, 6", "3, 6", "2, 7", "2, 11", "4, 10", "5, 12", "2, 16", "2, 17",
        "3, 18", "5, 20", "1, 24", "1, 255", "0, 0"})
    void shouldRefuseAnAccessOfMoreThanOneFieldOfTheDevice(int bytes, int offset) {
        assertThat(read(DEV_READ, offset, bytes)).isEqualTo(plain(INVALID_FIELD));
        assertThat(write(DEV_WRITE, offset, "aa".repeat(bytes))).isEqualTo(plain(INVALID_FIELD));
        expectRead(DEV_READ, 0, "02" + mac().substring(2));
    }

    @Test
    void shouldTakePaddingWhenThePartsAreMultiplesOfEightBytes() {
        expectWritten(COMMON_WRITE, 14, "0200 000000000000");
        expectRead(COMMON_READ, 14, "0200");
        assertThat(write(COMMON_WRITE, 14, "0100 000000000001")).as("not zero").isEqualTo(plain(INVALID_FIELD));
        assertThat(write(COMMON_WRITE, 14, "0100 000000000000 01" + "00".repeat(7))).isEqualTo(plain(INVALID_FIELD));
        assertThat(write(COMMON_WRITE, 14, "0100 00000000")).as("no multiple").isEqualTo(plain(INVALID_FIELD));
        assertThat(read(COMMON_READ, 14, 8)).as("only the field").isEqualTo(plain(OK + "0200"));
        assertThat(read(COMMON_READ, 12, 4088)).isEqualTo(plain(OK + "0001"));
        expectWritten(DEV_WRITE, 0, "020000000007 0000");
        assertThat(read(DEV_READ, 0, 8)).isEqualTo(plain(OK + "020000000007"));
    }

    @Test
    void shouldLetTheAddressBeWrittenWholeAndByteByByte() {
        expectRead(DEV_READ, 0, mac());
        expectWritten(DEV_WRITE, 0, "020102030405");
        expectRead(DEV_READ, 0, "020102030405");
        expectWritten(DEV_WRITE, 5, "99");
        expectWritten(DEV_WRITE, 1, "2233");
        expectRead(DEV_READ, 0, "022233030499");
        expectRead(DEV_READ, 4, "04");
        expectRead(DEV_READ, 7, "00");
        assertThat(function.readConfig(0, 4)).isEqualTo(0x1041_1AF4L);
        function.writeConfig(4, 2, 6);
        assertThat(function.readBar(2, 0x2000, 4)).as("both interfaces").isEqualTo(0x03332202L);
    }

    @Test
    void shouldIgnoreWritesToReadOnlyFields() {
        expectWritten(COMMON_WRITE, 0, "00000000");
        expectWritten(COMMON_WRITE, 12, "0400");
        expectWritten(COMMON_WRITE, 19, "ff");
        expectWritten(DEV_WRITE, 6, "0000");
        expectWritten(DEV_WRITE, 8, "0900");
        expectRead(COMMON_READ, 0, "2080bf30");
        expectRead(COMMON_READ, 12, "0001");
        expectRead(COMMON_READ, 19, "00");
        expectRead(DEV_READ, 6, "0100");
        expectRead(DEV_READ, 8, "0100");
    }

    @Test
    void shouldKeepFeaturesThatAreOfferedUntilTheDeviceIsDriven() {
        expectWritten(COMMON_WRITE, 18, "03");
        expectWritten(COMMON_WRITE, 4, "ffffffff");
        expectRead(COMMON_READ, 4, "2080bf30");
        expectWritten(COMMON_WRITE, 4, "20000100");
        expectWritten(COMMON_WRITE, 18, "07");
        expectWritten(COMMON_WRITE, 4, "00000000");
        expectRead(COMMON_READ, 4, "20000100");
        expectRead(COMMON_READ, 18, "07");
        expectWritten(COMMON_WRITE, 18, "00");
        expectRead(COMMON_READ, 4, "00000000");
        expectRead(COMMON_READ, 18, "00");
    }

    @Test
    void shouldKnowNoFeaturesOk() {
        expectWritten(COMMON_WRITE, 18, "0b");
        expectRead(COMMON_READ, 18, "03");
        expectWritten(COMMON_WRITE, 18, "0f");
        expectRead(COMMON_READ, 18, "07");
    }

    @Test
    void shouldLayOutARingFromItsPageNumber() {
        expectWritten(COMMON_WRITE, 14, "0100");
        expectRead(COMMON_READ, 8, "00000000");
        expectWritten(COMMON_WRITE, 8, "00010000");
        expectRead(COMMON_READ, 8, "00010000");
        function.writeConfig(4, 2, 6);
        assertThat(function.readBar(2, 22, 2)).as("queue_select").isEqualTo(1);
        assertThat(function.readBar(2, 28, 2)).as("queue_enable").isEqualTo(1);
        assertThat(function.readBar(2, 32, 8)).as("queue_desc").isEqualTo(0x10_0000L);
        // 256 descriptors of 16 bytes; then 6 + 2 * 256 bytes up to the next page.
        assertThat(function.readBar(2, 40, 8)).as("queue_driver").isEqualTo(0x10_1000L);
        assertThat(function.readBar(2, 48, 8)).as("queue_device").isEqualTo(0x10_2000L);
        expectWritten(COMMON_WRITE, 8, "00000000");
        expectRead(COMMON_READ, 8, "00000000");
        assertThat(function.readBar(2, 28, 2)).as("queue_enable").isZero();
        expectWritten(COMMON_WRITE, 8, "ffffffff");
        expectRead(COMMON_READ, 8, "ffffffff");
        assertThat(function.readBar(2, 32, 8)).as("queue_desc").isEqualTo(0xFFF_FFFF_F000L);
    }

    @Test
    void shouldShowNoQueueBehindTheLastOne() {
        expectWritten(COMMON_WRITE, 14, "0300");
        expectRead(COMMON_READ, 14, "0300");
        expectRead(COMMON_READ, 12, "0000");
        expectWritten(COMMON_WRITE, 8, "00010000");
        expectRead(COMMON_READ, 8, "00000000");
        expectWritten(COMMON_WRITE, 16, "0300");
        expectWritten(COMMON_WRITE, 16, "ffff");
    }

    @Test
    void shouldHaveTheIdsOfADeviceThatIsNotTransitional() {
        assertThat(function.readConfig(0x02, 2)).isEqualTo(0x1041);
        assertThat(function.readConfig(0x08, 1)).isGreaterThanOrEqualTo(1);
        assertThat(function.readConfig(0x2E, 2)).isGreaterThanOrEqualTo(0x40);
    }

    @Test
    void shouldTellWhereToNotifyInFourEntries() {
        String info = execute(Bench.toMember(6, 1, ""), 72);
        assertThat(info).isEqualTo(plain(OK + "02 02 000000000000 0038000000000000" + "00".repeat(48)));
        assertThat(execute(Bench.toMember(6, 2, ""), 24)).isEqualTo(plain(OK + "02 02 000000000000 0038000000000000"));
        assertThat(function.barSize(2)).isGreaterThanOrEqualTo(0x3802);
        assertThat(function.barSize(0)).isZero();
        function.writeConfig(0x10, 4, 0xFFFF_FFFFL);
        assertThat(function.readConfig(0x10, 4)).as("VF BAR 0 is hardwired").isZero();
    }
}
