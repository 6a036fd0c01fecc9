// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.legacy.LegacyIo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LegacyCommandTest {

    private final CommandFixture shell = new CommandFixture();
    private final List<String> accesses = new ArrayList<>();

    private final LegacyIo io = new LegacyIo() {
        @Override
        public long readConfig(int offset, int size) {
            accesses.add("config " + offset + " " + size);
            return 0x1AF4;
        }

        @Override
        public void writeConfig(int offset, int size, long value) {
            accesses.add("config " + offset + " " + size + " = " + value);
        }

        @Override
        public long readBar0(int offset, int size) throws DeviceException {
            accesses.add("bar0 " + offset + " " + size);
            if (offset == 99) {
                throw new DeviceException(Errno.EINVAL, "nothing is at 99");
            }
            return 0xF;
        }

        @Override
        public void writeBar0(int offset, int size, long value) {
            accesses.add("bar0 " + offset + " " + size + " = " + value);
        }
    };

    private int legacy(String... arguments) {
        return shell.run(
                new LegacyCommand(() -> List.of(Map.entry(Map.of("ferry.device.id", "host1/pf0/vf1"), io))), arguments);
    }

    @Test
    void shouldReadWithoutAValue() {
        assertThat(legacy("host1/pf0/vf1", "0x12", "1")).isZero();
        assertThat(shell.out()).isEqualTo("0x0f\n");
        assertThat(legacy("--config", "host1/pf0/vf1", "0", "4")).isZero();
        assertThat(shell.out()).isEqualTo("0x00001af4\n");
        assertThat(accesses).containsExactly("bar0 18 1", "config 0 4");
    }

    @Test
    void shouldWriteAValue() {
        assertThat(legacy("host1/pf0/vf1", "18", "1", "0x7")).isZero();
        assertThat(legacy("--config", "host1/pf0/vf1", "4", "2", "7")).isZero();
        assertThat(shell.out()).isEmpty();
        assertThat(accesses).containsExactly("bar0 18 1 = 7", "config 4 2 = 7");
    }

    @Test
    void shouldPrintOneDocumentWithJson() {
        assertThat(legacy("--json", "host1/pf0/vf1", "18", "1")).isZero();
        assertThat(shell.out()).contains("\"offset\": 18", "\"size\": 1", "\"value\": 15");
    }

    @Test
    void shouldSayWhyAnAccessFails() {
        assertThat(legacy("host1/pf0/vf1", "99", "1")).isEqualTo(1);
        assertThat(shell.err()).contains("nothing is at 99", "EINVAL");
        assertThat(legacy("host1/pf0/vf2", "18", "1")).isEqualTo(1);
        assertThat(shell.err()).contains("host1/pf0/vf2", "`ferry devices`", "dev.ferry.virtio.legacy.io");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "3", "5", "8"})
    void shouldRefuseASizeThatNoAccessHas(String size) {
        assertThat(legacy("host1/pf0/vf1", "0", size)).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: SIZE is 1, 2 or 4, not " + size);
        assertThat(accesses).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"1, 0x100, 255", "2, 0x1ffff, 65535", "4, 0x100000000, 4294967295"})
    void shouldRefuseAValueThatDoesNotFitIntoTheAccess(String size, String value, String most) {
        assertThat(legacy("host1/pf0/vf1", "0", size, value)).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: VALUE must be 0 to " + most + ", not " + value);
        assertThat(accesses).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "-1", "0x1_0", "4294967296", ""})
    void shouldRefuseWhatIsNoNumber(String number) {
        assertThat(legacy("host1/pf0/vf1", "4", "4", "--", number)).isEqualTo(2);
        assertThat(accesses).isEmpty();
    }
}
