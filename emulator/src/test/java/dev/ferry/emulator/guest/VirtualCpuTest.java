// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
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
            assertThat(executing.await(10, TimeUnit.SECONDS)).isTrue();
            cpu.pause();
            assertThat(cpu.failure()).contains(said);
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> boolean fail(Throwable failure) throws T {
        throw (T) failure;
    }
}
