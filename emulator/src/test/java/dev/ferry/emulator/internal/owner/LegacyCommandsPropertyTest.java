// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.DmaSpace;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.Size;

/** Whatever a legacy guest writes, the device answers, and a command that failed changed nothing. */
class LegacyCommandsPropertyTest {

    private static final String OK = "00000000";
    private static final String INVALID_FIELD = "16000300";

    private record Access(int opcode, int offset, byte[] data) {}

    @Property(tries = 2_000)
    void shouldAnswerAndChangeNothingWhenItRefuses(
            @ForAll("accesses") @Size(max = 40) List<Access> accesses, @ForAll boolean msix) {
        AdapterSettings settings = Adapters.parts("host1", "pf0", 1, 2, 256, false, 255, true);
        try (OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings))) {
            Bench.execute(owner, Bench.USE_ALL, 8);
            Bench.execute(owner, Bench.SET_CAPABILITY, 8);
            Bench.execute(owner, Bench.create(1, 0, 0), 8);
            DmaSpace dma = new DmaSpace();
            dma.map(0, ByteBuffer.allocate(0x4000), DmaSpace.Access.READ_WRITE);
            owner.function(1).attach(dma, (vector, address, data) -> {});
            owner.function(1).writeConfig(4, 2, 6);
            owner.function(1).writeConfig(0x82, 2, msix ? 0x8000 : 0);
            for (Access access : accesses) {
                String before = parts(owner);
                String data = "%02x".formatted(access.offset())
                        + (access.opcode() % 2 == 0 ? "00".repeat(7) + Bench.hex(access.data()) : "");
                String answer = Bench.execute(
                        owner, Bench.toMember(access.opcode(), 1, data), 8 + access.data().length);
                assertThat(answer.substring(0, 8)).isIn(OK, INVALID_FIELD);
                if (!answer.startsWith(OK)) {
                    assertThat(parts(owner)).isEqualTo(before);
                }
            }
        }
    }

    private static String parts(OwnerDevice owner) {
        return Bench.execute(owner, Bench.toMember(0x0f, 1, Bench.object(0) + "0100000000000000"), 16384);
    }

    @Provide
    Arbitrary<List<Access>> accesses() {
        Arbitrary<Integer> offsets = Arbitraries.frequencyOf(
                Tuple.of(5, Arbitraries.of(0, 4, 8, 12, 14, 16, 18, 18, 19, 20, 22, 6, 10)),
                Tuple.of(1, Arbitraries.integers().between(0, 255)));
        Arbitrary<byte[]> data = Arbitraries.bytes()
                .array(byte[].class)
                .ofMinSize(0)
                .ofMaxSize(8)
                .flatMap(bytes -> Arbitraries.of(0, 1, 2, 2, 4, 4, 8).map(length -> {
                    byte[] fitted = Arrays.copyOf(bytes, length);
                    if (length == 4) {
                        fitted[1] = 0; // low page numbers and features, too
                        fitted[2] = 0;
                        fitted[3] = 0;
                    }
                    return fitted;
                }));
        return Combinators.combine(Arbitraries.of(2, 2, 2, 3, 4, 5, 6), offsets, data)
                .as(Access::new)
                .list();
    }
}
