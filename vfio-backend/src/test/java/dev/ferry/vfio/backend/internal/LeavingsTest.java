// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A device that is sent off is unregistered and closed, whatever goes wrong on its way. */
@Timeout(120)
class LeavingsTest {
    private static final long LONG_MILLIS = 60_000;
    private static final Executor NO_THREADS = task -> {
        throw new InternalError("unable to create native thread: told to fail");
    };

    private final List<String> done = new CopyOnWriteArrayList<>();

    private static Error told() {
        return new StackOverflowError("told to fail");
    }

    @Test
    void shouldCloseADeviceOfWhichTheUnregistrationEndsInAnError() {
        Leavings leavings = new Leavings(done::add);

        leavings.begin("a", "host9/a", () -> {
            throw told();
        }, () -> done.add("closed"));
        leavings.awaitAll(LONG_MILLIS, LONG_MILLIS);

        assertThat(done).contains("closed");
        assertThat(leavings.has("a")).isFalse();
    }

    @Test
    void shouldForgetADeviceOfWhichTheClosingEndsInAnError() {
        Leavings leavings = new Leavings(done::add);

        leavings.begin("a", "host9/a", () -> done.add("unregistered"), () -> {
            throw told();
        });
        leavings.awaitAll(LONG_MILLIS, LONG_MILLIS);

        assertThat(done).contains("unregistered");
        assertThat(leavings.has("a")).isFalse();
    }

    @Test
    void shouldSendOffOnTheCallersThreadWhereNoOtherCanBeHad() {
        Leavings leavings = new Leavings(name -> done.add("gone"), NO_THREADS);

        leavings.begin("a", "host9/a", () -> done.add("unregistered"), () -> done.add("closed"));

        assertThat(done).as("whoever is to be told has the turn").containsExactly("unregistered", "closed");
        assertThat(leavings.has("a")).isFalse();
        assertThat(leavings.await("a", 0)).isEmpty();
    }

    @Test
    void shouldKeepServingWhatHasNotBegunToLeave() {
        Leavings leavings = new Leavings(done::add, NO_THREADS);
        ServedDevices served = new ServedDevices(leavings, LONG_MILLIS);
        for (String name : List.of("a", "b")) {
            served.put(name, ServedDevices.Served.explained(name, "told to", () -> {
                done.add(name + (served.get(name).isPresent() ? " begins" : " is lost"));
            }));
        }

        assertThat(served.sendOff((name, now) -> true)).containsExactly("a", "b");

        assertThat(done).containsExactly("a begins", "b begins");
        assertThat(served.get("a")).isEmpty();
        assertThat(served.get("b")).isEmpty();
    }
}
