// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.internal.owner.OwnerFuzz.Way;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterProperty;

/**
 * Whatever commands come, in whatever order and by whichever way: no exception, a well-formed answer, and no change of
 * state by a command that fails. A million commands in the ordinary build, more with the Maven profile {@code fuzz}.
 */
class OwnerFuzzPropertyTest {

    /** Commands of one device; 40 devices for each of four properties make more than a million together. */
    private static final int COMMANDS = 6_600 * Integer.getInteger("ferry.fuzz.factor", 1);

    /** Of all devices of one property: there is an instance of this class for each. */
    private final int[] succeeded = new int[OwnerFuzz.OPCODES];

    private int executed;
    private int refused;

    private void run(long seed, Way way, boolean strict) {
        try (OwnerFuzz fuzz = new OwnerFuzz(seed, way, strict)) {
            fuzz.run(COMMANDS);
            Arrays.setAll(succeeded, opcode -> succeeded[opcode] + fuzz.succeeded[opcode]);
            refused += fuzz.refused;
            executed += COMMANDS;
        }
    }

    /** One device may miss an opcode by chance; all of them together do not. */
    @AfterProperty
    void shouldHaveMetEveryOpcodeAndRefusals() {
        for (int opcode = 0; opcode < succeeded.length; opcode++) {
            assertThat(succeeded[opcode]).as("0x%x should succeed by chance too", opcode).isPositive();
        }
        assertThat(refused).as("commands should also be refused").isGreaterThan(executed / 10);
    }

    @Property(tries = 40, shrinking = ShrinkingMode.OFF)
    void shouldNotChangeByFailedCommandsOfTheService(@ForAll long seed) {
        run(seed, Way.SERVICE, false);
    }

    @Property(tries = 40, shrinking = ShrinkingMode.OFF)
    void shouldNotChangeByFailedCommandsOfTheServiceWhenStrict(@ForAll long seed) {
        run(seed, Way.SERVICE, true);
    }

    @Property(tries = 40, shrinking = ShrinkingMode.OFF)
    void shouldNotChangeByFailedCommandsOfTheVirtqueue(@ForAll long seed) {
        run(seed, Way.VIRTQUEUE, false);
    }

    @Property(tries = 40, shrinking = ShrinkingMode.OFF)
    void shouldNotChangeByFailedCommandsOfTheVirtqueueWhenStrict(@ForAll long seed) {
        run(seed, Way.VIRTQUEUE, true);
    }
}
