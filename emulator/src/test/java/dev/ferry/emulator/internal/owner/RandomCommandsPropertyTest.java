// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;

/** Whatever bytes come, there is an answer, and a failed command leaves nothing behind. */
class RandomCommandsPropertyTest {

    private record Answered(byte[] command, int space, byte[] answer) {
        boolean isOk() {
            return answer.length >= 2 && answer[0] == 0 && answer[1] == 0;
        }
    }

    @Property(tries = 20_000)
    void shouldAnswerAnyBytes(@ForAll byte[] command, @ForAll @IntRange(max = 80) int space) {
        assertAnswer(Bench.ready().execute(command, space), space);
    }

    /**
     * A device that also got commands which failed answers like one that never got them, to the commands that succeeded
     * and to everything that shows its state.
     */
    @Property(tries = 3_000)
    void shouldForgetCommandsThatFailed(@ForAll("conversations") List<byte[]> commands) {
        Bench bench = Bench.ready();
        List<Answered> succeeded = new ArrayList<>();
        for (byte[] command : commands) {
            int space = 8 + command.length;
            Answered answered = new Answered(command, space, bench.execute(command, space));
            assertAnswer(answered.answer(), space);
            if (answered.isOk()) {
                succeeded.add(answered);
            }
        }

        Bench other = Bench.ready();
        for (Answered answered : succeeded) {
            assertThat(other.execute(answered.command(), answered.space())).isEqualTo(answered.answer());
        }
        assertThat(state(bench)).isEqualTo(state(other));
    }

    private static void assertAnswer(byte[] answer, int space) {
        assertThat(answer).hasSizeGreaterThanOrEqualTo(Math.min(8, space));
        if (answer.length >= 8) {
            int status = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN).getShort(0);
            assertThat(status).isIn(0, 6, 12, 16, 17, 22, 28);
            assertThat(answer[2] == 0).as("Q_OK with OK and only then").isEqualTo(status == 0);
            assertThat(answer[3]).isZero();
            assertThat(ByteBuffer.wrap(answer).getInt(4)).isZero();
        }
    }

    /** What commands in use, capability, objects and members look like from outside. */
    private static List<String> state(Bench bench) {
        List<String> state = new ArrayList<>();
        for (int opcode = 0; opcode < 0x14; opcode++) {
            state.add(bench.execute(Bench.toMember(opcode, 99, "ffffffffffffffff"), 64));
            state.add(bench.execute(Bench.toSelf(opcode, "ffffffffffffffff"), 64));
        }
        state.add("objects " + bench.owner.resourceObjects());
        for (FakeMember member : bench.factory.made) {
            for (int id = 0; id < 4; id++) {
                state.add(bench.execute(Bench.toMember(0x0c, member.number, Bench.object(id)), 16));
            }
            state.add("stopped " + member.stopped);
            state.add("loaded " + (member.loaded == null ? "" : Bench.hex(member.loaded)));
        }
        for (int id = 0; id < 256; id++) {
            state.add(bench.execute(Bench.create(1, id, id % 2), 8));
        }
        return state;
    }

    @Provide
    Arbitrary<List<byte[]>> conversations() {
        return commands().list().ofMinSize(1).ofMaxSize(8);
    }

    /** Commands that are almost right: known numbers in their places, then small numbers or whole parts. */
    private static Arbitrary<byte[]> commands() {
        Arbitrary<Integer> opcodes = Arbitraries.frequency(
                Tuple.of(1, 0x00),
                Tuple.of(1, 0x01),
                Tuple.of(1, 0x05),
                Tuple.of(2, 0x08),
                Tuple.of(2, 0x09),
                Tuple.of(8, 0x0a),
                Tuple.of(3, 0x0b),
                Tuple.of(2, 0x0c),
                Tuple.of(3, 0x0d),
                Tuple.of(3, 0x0e),
                Tuple.of(3, 0x0f),
                Tuple.of(4, 0x10),
                Tuple.of(3, 0x11),
                Tuple.of(1, 0x12));
        return Combinators.combine(
                        opcodes,
                        Arbitraries.of(1, 1, 1, 1, 0, 2),
                        Arbitraries.of(0, 1, 1, 1, 2, 2, 5),
                        Arbitraries.of(0, 0, 0, 0, 0, 0, 1),
                        Arbitraries.of(0, 0, 1, 1, 2, 3, 255),
                        Arbitraries.of(0, 0, 0, 1, 1, 2),
                        tails())
                .as(RandomCommandsPropertyTest::command);
    }

    private static Arbitrary<byte[]> tails() {
        Arbitrary<byte[]> parts = Arbitraries.of(FakeMember.ALL, FakeMember.DRV_FEATURES, "").map(Bench::bytes);
        Arbitrary<byte[]> small = Arbitraries.bytes().between((byte) 0, (byte) 2).array(byte[].class).ofMaxSize(24);
        return Arbitraries.oneOf(parts, small, Arbitraries.bytes().array(byte[].class).ofMaxSize(64));
    }

    private static byte[] command(int opcode, int group, int member, int type, int id, int operation, byte[] tail) {
        boolean hasOperation = opcode == 0x0a || opcode == 0x0b;
        int structure = opcode == 0x10 ? 32 : hasOperation ? 48 : 40;
        byte[] bytes = new byte[structure + tail.length];
        ByteBuffer command = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        command.putShort(0, (short) opcode).putShort(2, (short) group).putLong(16, member);
        command.putShort(24, (short) type).putInt(28, id);
        if (hasOperation) {
            command.put(40, (byte) operation);
        } else if (structure == 40) {
            command.put(32, (byte) operation);
        }
        return command.put(structure, tail).array();
    }
}
