// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminQueue;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class RawAdminCommandTest {

    private final CommandFixture shell = new CommandFixture();
    private String submitted = "";
    private int space = -1;
    private byte[] answer = {0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xAB};

    private CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        byte[] bytes = new byte[readable[0].remaining()];
        readable[0].duplicate().get(bytes);
        submitted = HexFormat.of().formatHex(bytes);
        space = writable[0].remaining();
        int used = Math.min(answer.length, space);
        writable[0].duplicate().put(answer, 0, used);
        return CompletableFuture.completedStage(used);
    }

    private int admin(String... arguments) {
        return admin(this::submit, arguments);
    }

    private int admin(AdminQueue queue, String... arguments) {
        List<OwnerDevice> owners = List.of(new OwnerDevice("host1/pf0", "host1", 4, queue));
        return shell.run(new RawAdminCommand(() -> owners), arguments);
    }

    @Test
    void shouldPrintTheBytesWrittenWhenTheDeviceAnswers() {
        assertThat(admin("host1/pf0", "00:01 0aFF")).isZero();
        assertThat(submitted).isEqualTo("00010aff");
        assertThat(space).isEqualTo(4096);
        assertThat(shell.out()).isEqualTo("0000000000000000ab\n");
        assertThat(shell.err()).isEmpty();
    }

    @Test
    void shouldTakeBytesFromSeveralArgumentsWhenTheyAreNotQuoted() {
        assertThat(admin("host1/pf0", "00", "01", "0a")).isZero();
        assertThat(submitted).isEqualTo("00010a");
    }

    @Test
    void shouldOfferTheSpaceAskedForWhenItIsGiven() {
        assertThat(admin("host1/pf0", "00", "--writable", "3")).isZero();
        assertThat(space).isEqualTo(3);
        assertThat(shell.out()).isEqualTo("000000\n");
    }

    @Test
    void shouldNameTheStatusWhenTheDeviceRefuses() {
        answer = new byte[] {22, 0, 3, 0, 0, 0, 0, 0};
        assertThat(admin("--json", "host1/pf0", "00")).isZero();
        assertThat(shell.err())
                .isEqualTo("status 22 (EINVAL), qualifier 3 (Q_INVALID_FIELD) for opcode 0x0000 (LIST_QUERY)\n");
        assertThat(shell.out()).isEqualTo("""
                {
                  "usedLength": 8,
                  "status": 22,
                  "statusName": "EINVAL",
                  "qualifier": 3,
                  "qualifierName": "Q_INVALID_FIELD",
                  "bytes": "1600030000000000"
                }
                """);
    }

    @Test
    void shouldNameTheCommandWhenItsStatusIsTold() {
        answer = new byte[] {22, 0, 3, 0, 0, 0, 0, 0};
        assertThat(admin("host1/pf0", "1100 0100")).isZero();
        assertThat(shell.err()).endsWith(" for opcode 0x0011 (DEV_MODE_SET)\n");
        assertThat(admin("host1/pf0", "0080")).isZero();
        assertThat(shell.err()).endsWith(" for opcode 0x8000 (not of virtio 1.4)\n");
    }

    @Test
    void shouldExitWithTwoWhenTheBytesAreNotHex() {
        assertThat(admin("host1/pf0", "0")).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: HEX ends with half a byte");
        assertThat(admin("host1/pf0", "00 1 02")).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: HEX has half a byte before position 4");
        assertThat(admin("host1/pf0", "0x01")).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: 'x' at position 1 of HEX is not a hex digit");
        assertThat(admin("host1/pf0", " ")).isEqualTo(2);
        assertThat(admin("host1/pf0")).isEqualTo(2);
        assertThat(submitted).isEmpty();
    }

    @Test
    void shouldExitWithTwoWhenTheSpaceIsOutOfBounds() {
        assertThat(admin("host1/pf0", "00", "--writable", "16777217")).isEqualTo(2);
        assertThat(shell.err()).contains("--writable takes 0 to 16777216 bytes, not 16777217");
        assertThat(admin("host1/pf0", "00", "--writable=-1")).isEqualTo(2);
        assertThat(admin("host1/pf0", "00", "--writable", "99999999999")).isEqualTo(2);
        assertThat(admin("host1/pf0", "00", "--writable", "16777216")).isZero();
    }

    @Test
    void shouldExitWithOneWhenTheOwnerIsUnknown() {
        assertThat(admin("host9/pf0", "00")).isEqualTo(1);
        assertThat(shell.err()).startsWith("ferry: there is no owner device host9/pf0;");
    }

    @Test
    void shouldPrintTheSentenceOfTheDeviceWhenItFails() {
        AdminQueue gone = (readable, writable) ->
                CompletableFuture.failedStage(new DeviceException(Errno.ENODEV, "the owner device is gone"));
        assertThat(admin(gone, "host1/pf0", "00")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: the owner device is gone (ENODEV)\n");
    }

    @Test
    void shouldTellNoStatusWhenTheDeviceWroteNone() {
        assertThat(admin("--json", "host1/pf0", "00", "--writable", "1")).isZero();
        assertThat(shell.err()).isEqualTo("status not given, qualifier not given for opcode 0x0000 (LIST_QUERY)\n");
        assertThat(shell.out()).contains(
                "\"status\": null", "\"statusName\": null", "\"qualifier\": null", "\"qualifierName\": null");
        answer = new byte[] {22, 0, 3, 0};
        assertThat(admin("--json", "host1/pf0", "00", "--writable", "3")).isZero();
        assertThat(shell.err()).isEqualTo("status 22 (EINVAL), qualifier not given for opcode 0x0000 (LIST_QUERY)\n");
        assertThat(shell.out()).contains("\"status\": 22", "\"qualifier\": null");
    }
}
