// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SharedByGroupTest {
    private final List<String> events = new ArrayList<>();
    private final SharedByGroup<SharedByGroup.Shared> groups = new SharedByGroup<>();

    private SharedByGroup.Share<SharedByGroup.Shared> join(String group) throws DeviceException {
        return groups.join(group, () -> {
            events.add("open " + group);
            return () -> events.add("close " + group);
        });
    }

    @Test
    void shouldOpenForTheFirstAndCloseBehindTheLast() throws Exception {
        SharedByGroup.Share<SharedByGroup.Shared> first = join("12");
        SharedByGroup.Share<SharedByGroup.Shared> second = join("12");
        assertThat(first.get()).isSameAs(second.get());
        first.close();
        first.close();
        assertThat(events).containsExactly("open 12");
        second.close();
        join("12").close();

        assertThat(events).containsExactly("open 12", "close 12", "open 12", "close 12");
    }

    @Test
    void shouldOpenAnewAfterAFailure() throws Exception {
        assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> groups.join("12", () -> {
            throw new DeviceException(Errno.EBUSY, "told to fail");
        }));

        join("12").close();

        assertThat(events).containsExactly("open 12", "close 12");
    }

    @Test
    void shouldNotLetOneGroupWaitForAnother() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch letGo = new CountDownLatch(1);
        SharedByGroup.Share<SharedByGroup.Shared> other = join("13");
        Thread opening = new Thread(() -> {
            try {
                groups.join("12", () -> {
                    entered.countDown();
                    awaitLong(letGo);
                    return () -> {};
                });
            } catch (DeviceException e) {
                throw new AssertionError(e);
            }
        });
        opening.start();
        awaitLong(entered);

        other.close();
        join("14").close();

        assertThat(opening.isAlive()).isTrue();
        assertThat(events).containsExactly("open 13", "close 13", "open 14", "close 14");
        letGo.countDown();
        opening.join(60_000);
    }

    private static void awaitLong(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
