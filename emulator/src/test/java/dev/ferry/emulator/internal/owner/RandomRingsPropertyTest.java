// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/** Whatever the driver of the owner device puts in its rings and registers, a reset makes the device work again. */
class RandomRingsPropertyTest {

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final String OK = Bench.plain(Bench.OK);
    private static final int RINGS_BYTES = 0x3900;

    private final Bench bench = Bench.reset(3, false);
    private final OwnerDriver driver = new OwnerDriver(bench.owner.ownerFunction());

    private void mustWork() {
        driver.functionLevelReset();
        driver.enableVfs(2);
        driver.start();
        assertThat(bench.owner.members()).isEqualTo(2);
        assertThat(driver.execute(Bench.USE_ALL, 8)).isEqualTo(OK);
        assertThat(driver.execute(Bench.toMember(0x11, 2, "01"), 8)).isEqualTo(OK);
        assertThat(bench.current(2).stopped).isTrue();
    }

    @Property(tries = 500, shrinking = ShrinkingMode.OFF)
    void shouldSurviveDamagedRings(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        driver.start();
        assertTimeoutPreemptively(LIMIT, () -> {
            for (int i = 0; i < 20; i++) {
                driver.place(List.of(OwnerDriver.Request.of(Bench.USE_ALL, 64)), new int[1], new int[1]);
                for (int damaged = random.nextInt(6); damaged > 0; damaged--) {
                    int at = random.nextInt(3) == 0 ? random.nextInt(RINGS_BYTES) : random.nextInt(48);
                    driver.memory.put(at, (byte) random.nextInt());
                }
                driver.kick();
                if ((driver.read(20, 1) & 0x40) != 0) {
                    driver.start();
                }
            }
        });
        mustWork();
    }

    @Property(tries = 500, shrinking = ShrinkingMode.OFF)
    void shouldSurviveRandomRegisters(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        driver.start();
        int[] sizes = {1, 2, 4, 8};
        assertTimeoutPreemptively(LIMIT, () -> {
            for (int i = 0; i < 100; i++) {
                int size = sizes[random.nextInt(sizes.length)];
                // Few VFs: thousands are allowed, and cost their time each.
                long value = random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(64);
                switch (random.nextInt(4)) {
                    case 0 -> driver.function.writeConfig(random.nextInt(0x160), Math.min(size, 4), value & 0xFF);
                    case 1 -> driver.function.writeConfig(driver.sriov() + 8 + 8 * random.nextInt(2), 2, value & 0x3F);
                    case 2 -> driver.write(random.nextInt(64), size, value);
                    default -> driver.kick();
                }
                boolean enabled = (driver.config(driver.sriov() + 0x08, 2) & 1) != 0;
                int number = enabled ? (int) driver.config(driver.sriov() + 0x10, 2) : 0;
                assertThat(bench.owner.members()).isEqualTo(number);
            }
        });
        mustWork();
    }
}
