// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.ContextBench.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Whatever comes as a command or a context: no exception, no effect of what was refused, and the device goes on. */
class RandomContextPropertyTest {

    private final ContextBench bench = ContextBench.ready(2, 64);

    /** Changes bytes of a context and puts its sum right, so that it is looked into. */
    private static byte[] damaged(byte[] context, Random random) {
        byte[] changed = context.clone();
        for (int change = 1 + random.nextInt(4); change > 0; change--) {
            changed[16 + random.nextInt(changed.length - 32)] =
                    (byte) (random.nextBoolean() ? 0xff : random.nextInt(256));
        }
        CRC32 sum = new CRC32();
        sum.update(changed, 0, changed.length - 16);
        for (int i = 0; i < 4; i++) {
            changed[changed.length - 8 + i] = (byte) (sum.getValue() >>> 8 * i);
        }
        return changed;
    }

    @Property(tries = 3000)
    void shouldTakeADamagedContextWholeOrNotAtAll(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] before = bench.read();
        byte[] damaged = damaged(before, random);
        bench.mode(FREEZE);
        for (int at = 0; at < damaged.length; ) {
            int end = Math.min(damaged.length, at + 1 + random.nextInt(64));
            assertThat(bench.write(Arrays.copyOfRange(damaged, at, end))).isEqualTo(plain(OK));
            at = end;
        }

        String answer = bench.setMode(ACTIVE);

        if (answer.equals(plain(OK))) {
            bench.mode(FREEZE);
            bench.write(before);
            bench.mode(ACTIVE);
        } else {
            assertThat(answer).startsWith(plain("1600 0300"));
            bench.expectOk(toMember(DISCARD, ""));
            assertThat(bench.setMode(ACTIVE)).isEqualTo(plain(OK));
        }
        assertThat(bench.read()).isEqualTo(before);
    }

    @Property(tries = 3000)
    void shouldAnswerAnyBytesAsACommand(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] command = new byte[random.nextInt(120)];
        random.nextBytes(command);
        if (command.length > 16) {
            command[0] = (byte) (0x07 + random.nextInt(0x0b));
            command[1] = 1;
            command[2] = 1;
            command[3] = 0;
            Arrays.fill(command, 4, Math.min(24, command.length), (byte) 0);
            command[16] = (byte) random.nextInt(4);
        }

        byte[] answer = bench.execute(command, random.nextInt(80));

        assertThat(answer.length).isLessThanOrEqualTo(80);
        bench.member(DISCARD, "", 0);
        bench.mode(ACTIVE);
    }
}
