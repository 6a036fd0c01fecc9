// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CrewTest {

    private static final Runnable NO_TICK = () -> {};

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final StopSignal signal = StopSignal.withoutLimit();

    @AfterEach
    void endThreads() {
        threads.shutdownNow();
    }

    private static MigrationException broken(String device) {
        return new MigrationException(Failure.of(FailureCode.DEVICE_FAILED, device, device + ": it is broken."));
    }

    private Failure told(MigrationException e) {
        return new Failures(signal, e).toFailure(Optional.empty());
    }

    @Test
    void shouldDoEverythingWhenTheMachineHasNoMoreThreads() throws MigrationException {
        AtomicInteger called = new AtomicInteger();
        AtomicInteger underWay = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        CountDownLatch helping = new CountDownLatch(1);
        Executor two = task -> {
            if (called.incrementAndGet() > 1) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            threads.execute(task);
        };
        List<Crew.Piece> pieces = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            pieces.add(gate -> {
                underWay.incrementAndGet();
                if (Thread.currentThread().getName().startsWith("pool")) {
                    helping.countDown();
                } else {
                    await(helping);
                }
                done.incrementAndGet();
                underWay.decrementAndGet();
            });
        }

        new Crew(two, 16, signal, NO_TICK).run(pieces);

        assertThat(called).as("not asked again").hasValue(2);
        assertThat(done).hasValue(20);
        assertThat(underWay).hasValue(0);
    }

    @Test
    void shouldWaitForThoseUnderWayWhateverFailsMeanwhile() {
        CountDownLatch ticked = new CountDownLatch(1);
        CountDownLatch helping = new CountDownLatch(1);
        AtomicInteger done = new AtomicInteger();
        Crew crew = new Crew(threads, 16, signal, () -> {
            ticked.countDown();
            throw new IllegalStateException("the clock is broken");
        });
        // Whoever comes first takes the first of them.
        Crew.Piece piece = gate -> {
            if (Thread.currentThread().getName().startsWith("pool")) {
                helping.countDown();
                await(ticked);
                done.incrementAndGet();
            } else {
                await(helping);
            }
        };

        assertThatThrownBy(() -> crew.run(List.of(piece, piece)))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("the clock is broken");
        assertThat(done).hasValue(1);
    }

    @Test
    void shouldTellTheFirstErrorBeforeACancelThatCameLater() {
        CountDownLatch begun = new CountDownLatch(1);
        Crew.Piece failing = gate -> {
            await(begun);
            throw broken("vf1");
        };
        Crew.Piece slow = gate -> {
            begun.countDown();
            long over = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (signal.requested().isEmpty() && System.nanoTime() - over < 0) {
                Thread.yield();
            }
            assertThat(signal.request(Failure.of(FailureCode.CANCELLED, "The migration was cancelled."))).isTrue();
            throw broken("vf2");
        };

        MigrationException thrown = catchThrowableOfType(
                MigrationException.class, () -> new Crew(threads, 16, signal, NO_TICK).run(List.of(failing, slow)));

        assertThat(told(thrown).device()).contains("vf1");
        assertThat(told(thrown).following()).extracting(failure -> failure.device().orElse("none"))
                .containsExactly("vf2");
    }

    @Test
    void shouldTellACancelBeforeAnErrorThatCameLater() {
        Crew.Piece failing = gate -> {
            signal.request(Failure.of(FailureCode.CANCELLED, "The migration was cancelled."));
            throw broken("vf1");
        };

        MigrationException thrown = catchThrowableOfType(
                MigrationException.class, () -> new Crew(threads, 16, signal, NO_TICK).run(List.of(failing)));

        assertThat(told(thrown).code()).isEqualTo(FailureCode.CANCELLED);
        assertThat(told(thrown).following()).extracting(Failure::code).containsExactly(FailureCode.DEVICE_FAILED);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
