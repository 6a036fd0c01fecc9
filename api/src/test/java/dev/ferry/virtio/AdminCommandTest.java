// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdminCommandTest {

    @Test
    void shouldWriteTheHeaderOfModeSetToMemberThree() {
        ByteBuffer into = ByteBuffer.allocate(24);
        into.put(0, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24});
        AdminCommand.of(AdminOpcode.DEV_MODE_SET, GroupType.SR_IOV, 3).encode(into);
        assertThat(HexFormat.of().formatHex(into.array()))
                .isEqualTo("1100" + "0100" + "000000000000000000000000" + "0300000000000000");
    }

    @Test
    void shouldReadMissingBytesAsZero() {
        ByteBuffer from = ByteBuffer.wrap(HexFormat.of().parseHex("0f0001"));
        assertThat(AdminCommand.decode(from)).isEqualTo(new AdminCommand(0x0f, 1, 0));
        assertThat(from.hasRemaining()).isFalse();
    }

    @Test
    void shouldLeaveWhatFollowsTheHeader() {
        ByteBuffer from = ByteBuffer.wrap(
                HexFormat.of().parseHex("ffff0080" + "010203040506070809101112" + "ffffffffffffffff" + "aa"));
        assertThat(AdminCommand.decode(from)).isEqualTo(new AdminCommand(0xFFFF, 0x8000, -1));
        assertThat(from.remaining()).isEqualTo(1);
    }

    @Test
    void shouldWriteStatusAndQualifier() {
        ByteBuffer into = ByteBuffer.allocate(8);
        AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_MEMBER).encode(into);
        assertThat(into.array()).containsExactly(22, 0, 5, 0, 0, 0, 0, 0);
        assertThatThrownBy(() -> AdminResult.SUCCESS.encode(into)).isInstanceOf(BufferOverflowException.class);
    }

    @Test
    void shouldTakeWhatTheDeviceDidNotWriteForZero() {
        ByteBuffer from = ByteBuffer.wrap(new byte[] {22, 0, 5, 0, 0, 0, 0, 0});
        assertThat(AdminResult.decode(from, 8)).isEqualTo(new AdminResult(22, 5));
        assertThat(AdminResult.decode(from, 2)).isEqualTo(new AdminResult(22, 0));
        assertThat(AdminResult.decode(from, 0).isOk()).isTrue();
        assertThat(from.position()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "0,LIST_QUERY", "1,LIST_USE", "2,LEGACY_COMMON_CFG_WRITE", "3,LEGACY_COMMON_CFG_READ",
        "4,LEGACY_DEV_CFG_WRITE", "5,LEGACY_DEV_CFG_READ", "6,LEGACY_NOTIFY_INFO", "7,CAP_ID_LIST_QUERY",
        "8,DEVICE_CAP_GET", "9,DRIVER_CAP_SET", "10,RESOURCE_OBJ_CREATE", "11,RESOURCE_OBJ_MODIFY",
        "12,RESOURCE_OBJ_QUERY", "13,RESOURCE_OBJ_DESTROY", "14,DEV_PARTS_METADATA_GET", "15,DEV_PARTS_GET",
        "16,DEV_PARTS_SET", "17,DEV_MODE_SET"
    })
    void shouldNumberTheOpcodesAsTheText(int number, AdminOpcode opcode) {
        assertThat(opcode.number()).isEqualTo(number);
        assertThat(AdminOpcode.ofNumber(number)).contains(opcode);
    }

    @Test
    void shouldTakeUnknownStatusForInvalid() {
        assertThat(AdminStatus.ofNumber(99)).isEqualTo(AdminStatus.EINVAL);
        assertThat(AdminStatusQualifier.ofNumber(99)).isEqualTo(AdminStatusQualifier.Q_INVALID_COMMAND);
        assertThat(AdminOpcode.ofNumber(0x12)).isEmpty();
        assertThat(GroupType.ofNumber(2)).isEmpty();
    }
}
