// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.ContextBench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands of write records, from byte layouts. */
class WriteRecordCommandsTest {

    private static final String PAGE_4K = "0010000000000000";
    /** 0x10000, 64 KiB. */
    private static final String RANGE = "0000010000000000 0000010000000000";

    private final ContextBench bench = ContextBench.ready();

    private String start(String pageSize, int count, String ranges) {
        return bench.member(RECORD_START, pageSize + u32(count) + "00000000 0000000000000000" + ranges, 8);
    }

    @Test
    void shouldTellWhatItCanRecord() {
        assertThat(bench.member(RECORD_CAP_QUERY, "", 32))
                .isEqualTo(plain(
                        OK + "0010210000000000" + "00010000 00000000" + "0000004000000000" + "00000000 00000000"));
    }

    @ParameterizedTest
    @CsvSource({
        "0010000000000000, 0010000000000000, 0000010000000000 0000010000000000",
        "0020000000000000, 0010000000000000, 0000010000000000 0000010000000000",
        "0000010000000000, 0000010000000000, 0000010000000000 0000010000000000",
        "0000100000000000, 0000010000000000, 0000100000000000 0000100000000000",
        "0000200000000000, 0000200000000000, 0000200000000000 0000200000000000",
        "0000004000000000, 0000200000000000, 0000004000000000 0000004000000000",
    })
    void shouldChooseTheLargestPageSizeThatIsNotLarger(String asked, String chosen, String range) {
        assertThat(start(asked, 1, range)).isEqualTo(plain(OK + chosen));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0000000000000000", "0008000000000000", "0030000000000000", "0000000000000080"})
    void shouldRefuseAPageSizeThatIsNoPowerOfTwoOrTooSmall(String pageSize) {
        assertThat(start(pageSize, 1, RANGE)).startsWith(plain("1600 0300"));
    }

    @ParameterizedTest
    @CsvSource({
        "0008010000000000 0010000000000000, address not aligned",
        "0000010000000000 0008000000000000, length not aligned",
        "0000010000000000 0000000000000000, length 0",
        "00f0ffffffffffff 0010000000000000, end at 2^64",
        "00f0ffffffffff7f 0010000000000000, end at 2^63",
        "0000010000000000 00f0ffffffffffff, overflow",
    })
    void shouldRefuseARangeThatIsNone(String range, String why) {
        assertThat(start(PAGE_4K, 1, range)).as(why).isEqualTo(plain(INVALID_FIELD));
    }

    @Test
    void shouldRefuseNoRangeOverlappingOnesAndTooMany() {
        assertThat(start(PAGE_4K, 0, "")).isEqualTo(plain(INVALID_FIELD));
        assertThat(start(PAGE_4K, 2, RANGE)).as("missing data reads as length 0").isEqualTo(plain(INVALID_FIELD));
        assertThat(start(PAGE_4K, 2, RANGE + "00f0010000000000 0010000000000000")).isEqualTo(plain(INVALID_FIELD));
        assertThat(start(PAGE_4K, 2, "0000020000000000 0010000000000000" + RANGE)).isEqualTo(plain(OK + PAGE_4K));
        bench.expectOk(toMember(RECORD_STOP, ""));
        assertThat(start(PAGE_4K, 257, RANGE)).isEqualTo(plain(NO_SPACE));
    }

    @Test
    void shouldRefuseToStartTwiceAndToReadBeforeTheStart() {
        assertThat(bench.member(RECORD_READ, RANGE + "0000000000000000", 16)).isEqualTo(plain(INVALID_COMMAND));
        start(PAGE_4K, 1, RANGE);

        assertThat(start(PAGE_4K, 1, RANGE)).isEqualTo(plain(BUSY));
    }

    @Test
    void shouldStopAlsoWhenItDoesNotRecord() {
        bench.expectOk(toMember(RECORD_STOP, ""));
        start(PAGE_4K, 1, RANGE);
        bench.expectOk(toMember(RECORD_STOP, ""));
        assertThat(bench.member(RECORD_READ, RANGE + "0000000000000000", 16)).isEqualTo(plain(INVALID_COMMAND));
    }

    @Test
    void shouldNeedSpaceForOneRecord() {
        start(PAGE_4K, 1, RANGE);

        assertThat(bench.member(RECORD_READ, RANGE + "0000000000000000", 15)).isEqualTo(plain(INVALID_FIELD));
        assertThat(bench.member(RECORD_READ, RANGE + "0000000000000000", 16)).isEqualTo(plain(OK));
    }
}
