// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What Linux's virtio-pci and virtio-vfio-pci send, byte for byte, and what a device has to answer. */
class LinuxSequenceTest {

    private static final String OK = "0000 0000 00000000";

    private static final String LIST_QUERY = "0000 0100 000000000000000000000000 0000000000000000";
    private static final String LIST_USE = "0100 0100 000000000000000000000000 0000000000000000 80e7030000000000";
    private static final String CAP_ID_LIST_QUERY = "0700 0000 000000000000000000000000 0000000000000000";
    private static final String DEVICE_CAP_GET =
            "0800 0000 000000000000000000000000 0000000000000000 0000000000000000";
    private static final String DRIVER_CAP_SET =
            "0900 0000 000000000000000000000000 0000000000000000 0000000000000000 ffff";

    @Test
    void shouldAcceptTheSetUpOfTheOwnerDriver() {
        Bench bench = Bench.reset(2, false);

        assertThat(bench.execute(LIST_QUERY, 16)).isEqualTo(plain(OK + "ffff030000000000"));
        assertThat(bench.execute(LIST_USE, 8)).isEqualTo(plain(OK));
        assertThat(bench.execute(CAP_ID_LIST_QUERY, 16)).isEqualTo(plain(OK + "0100000000000000"));
        assertThat(bench.execute(DEVICE_CAP_GET, 10)).isEqualTo(plain(OK + "ffff"));
        assertThat(bench.execute(DRIVER_CAP_SET, 8)).isEqualTo(plain(OK));
    }

    @Test
    void shouldAcceptTheSetUpWhenNoVfIsEnabledYet() {
        Bench bench = Bench.reset(0, false);

        assertThat(bench.execute(LIST_QUERY, 16)).isEqualTo(plain(OK + "ffff030000000000"));
        assertThat(bench.execute(LIST_USE, 8)).isEqualTo(plain(OK));
        bench.owner.resize(1);

        assertThat(bench.execute("1100 0100 000000000000000000000000 0100000000000000 01", 8)).isEqualTo(plain(OK));
        assertThat(bench.member(1).stopped).isTrue();
    }

    @Test
    void shouldSaveOneMemberAndLoadAnother() {
        Bench bench = Bench.reset(2, false);
        bench.expectOk(LIST_USE);
        bench.expectOk(DRIVER_CAP_SET);
        String source = " 0100000000000000";
        String destination = " 0200000000000000";

        assertThat(bench.execute(
                        "0a00 0100 000000000000000000000000" + source
                                + "0000 0000 00000000 0000000000000000 00 00000000000000",
                        8))
                .isEqualTo(plain(OK));
        assertThat(bench.execute("1100 0100 000000000000000000000000" + source + "01", 8)).isEqualTo(plain(OK));
        assertThat(bench.execute(
                        "0e00 0100 000000000000000000000000" + source + "0000 0000 00000000 00 00000000000000", 16))
                .isEqualTo(plain(OK + "64000000 00000000"));
        String image = bench.execute(
                "0f00 0100 000000000000000000000000" + source + "0000 0000 00000000 01 00000000000000", 108);
        assertThat(image)
                .isEqualTo(plain(OK
                        + "0001 01 00 0000000000000000 08000000 0000000001000000"
                        + "0101 00 00 0000000000000000 08000000 0000000001000000"
                        + "0301 00 00 0000000000000000 01000000 0f"));

        assertThat(bench.execute("1100 0100 000000000000000000000000" + destination + "01", 8)).isEqualTo(plain(OK));
        assertThat(bench.execute(
                        "0a00 0100 000000000000000000000000" + destination
                                + "0000 0000 01000000 0000000000000000 01 00000000000000",
                        8))
                .isEqualTo(plain(OK));
        String parts = image.substring(16);
        assertThat(bench.execute(
                        "1000 0100 000000000000000000000000" + destination + "0000 0000 01000000" + parts, 8))
                .isEqualTo(plain(OK));
        assertThat(bench.member(2).loaded).isEqualTo(Bench.bytes(parts));

        assertThat(bench.owner.resourceObjects()).isEqualTo(2);
        assertThat(bench.execute("0d00 0100 000000000000000000000000" + source + "0000 0000 00000000", 8))
                .isEqualTo(plain(OK));
        assertThat(bench.execute("0d00 0100 000000000000000000000000" + destination + "0000 0000 01000000", 8))
                .isEqualTo(plain(OK));
        assertThat(bench.owner.resourceObjects()).isZero();
        assertThat(bench.execute("1100 0100 000000000000000000000000" + destination + "00", 8)).isEqualTo(plain(OK));
        assertThat(bench.member(2).stopped).isFalse();
    }
}
