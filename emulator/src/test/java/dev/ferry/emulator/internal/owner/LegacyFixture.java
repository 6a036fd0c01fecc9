// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.PciFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A virtio-net VF with one queue pair, and the legacy commands to it as bytes. */
abstract class LegacyFixture {

    static final String OK = "0000 0000 00000000";

    static final int COMMON_WRITE = 2;
    static final int COMMON_READ = 3;
    static final int DEV_WRITE = 4;
    static final int DEV_READ = 5;

    final AdapterSettings settings = Adapters.parts("host1", "pf0", 2, 1, 256, false, 255, true);
    final OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings));
    final PciFunction function = owner.function(1);

    @BeforeEach
    void useAllCommands() {
        assertThat(execute(Bench.USE_ALL, 8)).isEqualTo(plain(OK));
    }

    @AfterEach
    void close() {
        owner.close();
    }

    String execute(String readable, int space) {
        return Bench.execute(owner, readable, space);
    }

    String read(int opcode, int offset, int bytes) {
        return execute(Bench.toMember(opcode, 1, "%02x".formatted(offset)), 8 + bytes);
    }

    String write(int opcode, int offset, String bytes) {
        return execute(Bench.toMember(opcode, 1, "%02x 00000000000000".formatted(offset) + bytes), 8);
    }

    void expectRead(int opcode, int offset, String bytes) {
        String hex = plain(bytes);
        assertThat(read(opcode, offset, hex.length() / 2)).isEqualTo(plain(OK) + hex);
    }

    void expectWritten(int opcode, int offset, String bytes) {
        assertThat(write(opcode, offset, bytes)).isEqualTo(plain(OK));
    }

    static String mac() {
        return Bench.hex(VirtioNetMembers.mac("host1/pf0", 1));
    }
}
