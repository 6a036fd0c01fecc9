// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.Await;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(120)
class VirtualCpuTest {

    static Stream<Arguments> failures() {
        return Stream.of(
                failure(() -> new IllegalStateException("on purpose"), "on purpose"),
                failure(NullPointerException::new, "java.lang.NullPointerException"),
                failure(() -> new NoClassDefFoundError("a/B"), "java.lang.NoClassDefFoundError: a/B"),
                failure(() -> new AssertionError("on purpose"), "java.lang.AssertionError: on purpose"),
                failure(() -> new OutOfMemoryError("a test"), "java.lang.OutOfMemoryError: a test"));
    }

    private static Arguments failure(Supplier<Throwable> made, String said) {
        return Arguments.of(made, said);
    }

    @ParameterizedTest
    @MethodSource("failures")
    void shouldSayWhyItStoppedWhateverWasThrown(Supplier<Throwable> failure, String said) throws Exception {
        CountDownLatch executing = new CountDownLatch(1);
        try (VirtualCpu cpu = new VirtualCpu("test", () -> {
            executing.countDown();
            return VirtualCpuTest.<RuntimeException>fail(failure.get());
        })) {
            cpu.wake();
            cpu.resume();
            assertThat(executing.await(60, TimeUnit.SECONDS)).isTrue();
            cpu.pause();
            assertThat(cpu.failure()).contains(said);
        }
    }

    @Test
    void shouldLetPassOnlyAtTheEndOfTheRound() throws Exception {
        CountDownLatch executing = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        AtomicInteger ended = new AtomicInteger();
        try (VirtualCpu cpu = new VirtualCpu("test", () -> {
            executing.countDown();
            awaitQuietly(mayEnd);
            ended.incrementAndGet();
            return true;
        })) {
            cpu.passRound();
            cpu.wake();
            cpu.resume();
            assertThat(executing.await(60, TimeUnit.SECONDS)).isTrue();
            AtomicInteger seen = new AtomicInteger(-1);
            Thread passing = new Thread(() -> {
                try {
                    cpu.passRound();
                    seen.set(ended.get());
                } catch (IOException e) {
                    seen.set(Integer.MIN_VALUE);
                }
            });
            passing.start();
            Await.until("the round to be waited for", () -> passing.getState() == Thread.State.TIMED_WAITING
                    || !passing.isAlive());
            assertThat(passing.isAlive()).isTrue();
            mayEnd.countDown();
            passing.join(60_000);
            assertThat(seen.get()).isPositive();
        }
    }

    @Test
    void shouldExecuteByItselfWhenSomethingIsDue() throws Exception {
        CountDownLatch rounds = new CountDownLatch(3);
        AtomicInteger asked = new AtomicInteger();
        try (VirtualCpu cpu = new VirtualCpu(
                "test",
                () -> {
                    rounds.countDown();
                    return false;
                },
                () -> asked.incrementAndGet() % 2 == 0 ? 0 : 1000)) {
            cpu.resume();
            assertThat(rounds.await(60, TimeUnit.SECONDS)).isTrue();
            cpu.pause();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> boolean fail(Throwable failure) throws T {
        throw (T) failure;
    }
}
