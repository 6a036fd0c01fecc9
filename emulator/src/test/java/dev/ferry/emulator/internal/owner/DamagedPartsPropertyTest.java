// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Whatever is broken in the parts of a SET, a virtio-net VF takes all of it or nothing, and can be saved again. */
class DamagedPartsPropertyTest {

    private static final byte[] SET = Bench.bytes(Bench.toMember(0x10, 1, Bench.object(1)));
    private static final byte[] GET =
            Bench.bytes(Bench.toMember(0x0f, 1, Bench.object(0) + "0100000000000000"));
    private static final byte[] IMAGE = Bench.bytes(VirtioNetSaveAndLoadTest.IMAGE);

    @Property(tries = 5000)
    void shouldTakeAllOrNothing(
            @ForAll @IntRange(max = 10_000) int at, @ForAll byte with, @ForAll @IntRange(max = 10_000) int cutAt) {
        AdapterSettings settings = Bench.settings(1, false);
        try (OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings))) {
            for (String command : new String[] {
                Bench.USE_LINUX, Bench.SET_CAPABILITY, Bench.create(1, 0, 0), Bench.create(1, 1, 1),
                Bench.toMember(0x11, 1, "01")
            }) {
                execute(owner, Bench.bytes(command));
            }
            byte[] before = execute(owner, GET);
            byte[] damaged = IMAGE.clone();
            damaged[at % damaged.length] = with;
            int length = cutAt % 2 == 0 ? damaged.length : cutAt % damaged.length;

            byte[] answer = execute(owner, join(SET, Arrays.copyOf(damaged, length)));

            assertThat(answer).hasSize(8);
            assertThat(answer[0]).isIn((byte) 0, (byte) 22);
            byte[] after = execute(owner, GET);
            if (answer[0] != 0) {
                assertThat(after).isEqualTo(before);
            } else {
                byte[] saved = Arrays.copyOfRange(after, 8, after.length);
                assertThat(execute(owner, join(SET, saved))).as("what it gave, it takes").startsWith(0, 0);
                assertThat(execute(owner, GET)).isEqualTo(after);
            }
        }
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private static byte[] execute(OwnerDevice owner, byte[] readable) {
        return Bench.execute(owner, readable, 4096);
    }
}
