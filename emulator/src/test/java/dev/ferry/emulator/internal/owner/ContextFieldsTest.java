// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.ContextBench.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a receiver takes of a context and what it refuses, by field. */
class ContextFieldsTest {

    private static final int START = 0x0001;
    private static final int DEV_FEATURES = 0x0010;
    private static final int DRV_FEATURES = 0x0011;
    private static final int PCI_COMMON_CFG = 0x0012;
    private static final int DEV_CFG = 0x0013;
    private static final int DEV_STATUS = 0x0014;
    private static final int VQ_CFG = 0x0020;
    private static final int VQ_SPLIT_RUN = 0x0021;
    private static final int VQ_PENDING_KICK = 0x0023;
    private static final int NET_MAC = 0x0101;
    private static final int END = 0xffff;

    private final ContextBench bench = ContextBench.ready();

    /** Fields of a context between START and END, as hex without header: type, value. */
    private List<String[]> fields() {
        byte[] context = bench.read();
        List<String[]> fields = new ArrayList<>();
        int at = 16;
        while (at < context.length - 16) {
            int type = context[at] & 0xff | (context[at + 1] & 0xff) << 8;
            int length = context[at + 4] & 0xff | (context[at + 5] & 0xff) << 8;
            fields.add(new String[] {
                Integer.toString(type), HexFormat.of().formatHex(context, at + 8, at + 8 + length)
            });
            at += 8 + (length + 7) / 8 * 8;
        }
        return fields;
    }

    private static byte[] join(List<String[]> fields) {
        StringBuilder all = new StringBuilder();
        fields.forEach(one -> all.append(field(Integer.parseInt(one[0]), 0, one[1])));
        return context(all.toString());
    }

    private byte[] with(int type, UnaryOperator<String> change) {
        List<String[]> fields = fields();
        fields.stream()
                .filter(one -> Integer.parseInt(one[0]) == type)
                .forEach(one -> one[1] = change.apply(one[1]));
        return join(fields);
    }

    /** Loads a context; gives the answer of the command that leaves FREEZE. */
    private String load(byte[] context) {
        bench.mode(FREEZE);
        assertThat(bench.write(context)).isEqualTo(plain(OK));
        return bench.setMode(STOP);
    }

    private static String refused(int type) {
        return plain("1600 0300") + "%02x%02x0000".formatted(type & 0xff, type >> 8);
    }

    @Test
    void shouldTakeItsOwnContextAgain() {
        assertThat(load(join(fields()))).isEqualTo(plain(OK));
    }

    @ParameterizedTest
    @ValueSource(ints = {DEV_FEATURES, DRV_FEATURES, PCI_COMMON_CFG, DEV_CFG, DEV_STATUS, NET_MAC})
    void shouldRefuseAContextWithoutAMandatoryField(int type) {
        List<String[]> fields = fields();
        assertThat(fields.removeIf(one -> Integer.parseInt(one[0]) == type)).isTrue();

        assertThat(load(join(fields))).isEqualTo(refused(type));
    }

    @Test
    void shouldRefuseAContextWithoutStartOrEndOrWithAnotherSum() {
        byte[] context = bench.read();
        assertThat(load(Arrays.copyOfRange(context, 16, context.length))).isEqualTo(refused(START));
        bench.member(DISCARD, "", 0);
        assertThat(load(Arrays.copyOf(context, context.length - 16))).isEqualTo(refused(END));
        bench.member(DISCARD, "", 0);
        context[context.length - 8] ^= 1;
        assertThat(load(context)).isEqualTo(refused(END));
    }

    @Test
    void shouldRefuseAnotherMagicVersionOrDevice() {
        for (int at : new int[] {8, 12, 14}) {
            byte[] context = bench.read();
            context[at] ^= 0x10;
            assertThat(load(context)).isEqualTo(refused(START));
            bench.member(DISCARD, "", 0);
        }
    }

    @Test
    void shouldRefuseAFieldThatComesTwice() {
        List<String[]> fields = fields();
        fields.add(2, fields.get(1));

        assertThat(load(join(fields))).isEqualTo(refused(DRV_FEATURES));
    }

    @Test
    void shouldRefuseFieldsInAnotherOrder() {
        List<String[]> fields = fields();
        Collections.swap(fields, 0, 1);

        assertThat(load(join(fields))).isEqualTo(refused(DEV_FEATURES));
    }

    @ParameterizedTest
    @ValueSource(ints = {DEV_FEATURES, DRV_FEATURES, PCI_COMMON_CFG, DEV_CFG, DEV_STATUS, NET_MAC})
    void shouldRefuseAFieldOfAWrongLength(int type) {
        assertThat(load(with(type, value -> value + "0000000000000000"))).isEqualTo(refused(type));
        bench.member(DISCARD, "", 0);
        assertThat(load(with(type, value -> value.substring(0, value.length() - 2)))).isEqualTo(refused(type));
    }

    @Test
    void shouldSkipAnUnknownFieldOnlyWhenItIsOptional() {
        String own = HexFormat.of().formatHex(bench.read());
        String fields = own.substring(32, own.length() - 32);

        assertThat(load(context(fields + field(0x0777, 1, "010203")))).isEqualTo(plain(OK));
        assertThat(load(context(fields + field(0x0777, 0, "010203")))).isEqualTo(refused(0x0777));
    }

    @Test
    void shouldRefuseFeaturesThatItDoesNotOffer() {
        assertThat(load(with(DEV_FEATURES, value -> "ffffffffffffffff"))).isEqualTo(refused(DEV_FEATURES));
    }

    @Test
    void shouldRefuseAStatusThatCannotBe() {
        assertThat(load(with(DEV_STATUS, value -> "0400000000000000")))
                .as("DRIVER_OK alone")
                .isEqualTo(refused(DEV_STATUS));
        bench.member(DISCARD, "", 0);
        assertThat(load(with(DEV_STATUS, value -> "2000000000000000")))
                .as("unknown bit")
                .isEqualTo(refused(DEV_STATUS));
        bench.member(DISCARD, "", 0);
        assertThat(load(with(DEV_STATUS, value -> "0b00000000000000")))
                .as("FEATURES_OK without VERSION_1")
                .isEqualTo(refused(DRV_FEATURES));
    }

    @Test
    void shouldRefuseMoreQueuePairsThanItHas() {
        assertThat(load(with(DEV_CFG, value -> value.substring(0, 16) + "0200" + value.substring(20))))
                .isEqualTo(refused(DEV_CFG));
    }

    /** A driver with VERSION_1 and one queue: DRV_FEATURES, DEV_STATUS, VQ_CFG, VQ_SPLIT_RUN of queue 1. */
    private byte[] running(String queue, String run) {
        List<String[]> fields = fields();
        fields.get(1)[1] = "0000000001000000";
        fields.forEach(one -> one[1] = Integer.parseInt(one[0]) == DEV_STATUS ? "0f00000000000000" : one[1]);
        int behind = fields.size() - 1; // before NET_MAC
        fields.add(behind, new String[] {Integer.toString(VQ_CFG), plain(queue)});
        if (!run.isEmpty()) {
            fields.add(behind + 1, new String[] {Integer.toString(VQ_SPLIT_RUN), plain(run)});
        }
        return join(fields);
    }

    private static final String QUEUE_1 = "0100 8000 0200 0100 0000100000000000 0008100000000000 0010100000000000"
            + "0100 0000 0000 0000";

    @Test
    void shouldTakeAQueueWithItsPositionAndGiveItAgain() {
        assertThat(load(running(QUEUE_1, "0100 3412 3412 0000"))).isEqualTo(plain(OK));

        assertThat(HexFormat.of().formatHex(bench.read()))
                .contains(plain("2000 00 00 28000000" + QUEUE_1 + "2100 00 00 08000000 0100 3412 3412 0000"));
    }

    @ParameterizedTest
    @CsvSource({
        "0100 0002, larger than the largest queue",
        "0100 3000, no power of two",
        "0300 8000, no such queue",
    })
    void shouldRefuseAQueueItCannotHave(String head, String why) {
        String answer = load(running(head + QUEUE_1.substring(9), "0100 0000 0000 0000"));

        assertThat(answer).as(why).isEqualTo(plain("1600 0300 2000") + plain(head).substring(0, 4));
    }

    @Test
    void shouldRefuseAQueueWithoutPositionOrWithChainsInFlight() {
        assertThat(load(running(QUEUE_1, ""))).isEqualTo(plain("1600 0300 2100 0100"));
        bench.member(DISCARD, "", 0);
        assertThat(load(running(QUEUE_1, "0100 0200 0100 0100 0500"))).isEqualTo(plain("1600 0300 2100 0100"));
        bench.member(DISCARD, "", 0);
        assertThat(load(running(QUEUE_1, "0100 0200 0100 0200 0500")))
                .as("length")
                .isEqualTo(plain("1600 0300 2100 0100"));
    }

    @Test
    void shouldRefuseKicksOfQueuesThatAreNotThere() {
        String own = HexFormat.of().formatHex(bench.read());
        int mac = own.indexOf(plain("0101 00 00 10000000"));
        String fields = own.substring(32, mac) + field(VQ_PENDING_KICK, 1, "0000000000000080")
                + own.substring(mac, own.length() - 32);

        assertThat(load(context(fields))).isEqualTo(refused(VQ_PENDING_KICK));
    }

    @Test
    void shouldComposeALargerDeviceAsTheContextDescribesIt() {
        ContextBench larger = ContextBench.ready(4, 1024);
        byte[] context = running(QUEUE_1, "0100 0700 0700 0000");
        larger.mode(FREEZE);
        assertThat(larger.write(context)).isEqualTo(plain(OK));

        assertThat(larger.setMode(STOP)).isEqualTo(plain(OK));
        assertThat(load(context)).isEqualTo(plain(OK));
        assertThat(larger.read()).as("the driver sees the device it knows").isEqualTo(bench.read());
    }

    @Test
    void shouldShowItsOwnSizeAgainWhenAComposedDeviceIsReset() throws Exception {
        ContextBench larger = ContextBench.ready(4, 1024);
        byte[] own = larger.read();
        larger.mode(FREEZE);
        larger.write(bench.read());
        larger.mode(STOP);
        assertThat(larger.read()).isEqualTo(bench.read());

        larger.owner.resetFunction(1);

        assertThat(larger.read()).isEqualTo(own);
    }

    @Test
    void shouldRefuseALargerDeviceByItsFirstFieldThatDoesNotFit() {
        byte[] larger = ContextBench.ready(4, 256).read();

        assertThat(load(larger)).startsWith(plain("1600 0300")).isNotEqualTo(plain("1600 0300 0000 0000"));
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "02 00000000000000"));
    }
}
