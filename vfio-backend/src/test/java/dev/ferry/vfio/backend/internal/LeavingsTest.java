// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.vfio.backend.internal.ServedDevices.Served;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
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

        leavings.add("a", "host9/a", () -> {
            throw told();
        }, () -> done.add("closed")).run();
        leavings.awaitAll(LONG_MILLIS, LONG_MILLIS);

        assertThat(done).contains("closed");
        assertThat(leavings.has("a")).isFalse();
    }

    @Test
    void shouldForgetADeviceOfWhichTheClosingEndsInAnError() {
        Leavings leavings = new Leavings(done::add);

        leavings.add("a", "host9/a", () -> done.add("unregistered"), () -> {
            throw told();
        }).run();
        leavings.awaitAll(LONG_MILLIS, LONG_MILLIS);

        assertThat(done).contains("unregistered");
        assertThat(leavings.has("a")).isFalse();
    }

    @Test
    void shouldSendOffOnTheCallersThreadWhereNoOtherCanBeHad() {
        Leavings leavings = new Leavings(name -> done.add("gone"), NO_THREADS);

        leavings.add("a", "host9/a", () -> done.add("unregistered"), () -> done.add("closed")).run();

        assertThat(done).as("whoever is to be told has the turn").containsExactly("unregistered", "closed");
        assertThat(leavings.has("a")).isFalse();
        assertThat(leavings.obstacle("a")).isEmpty();
    }

    @Test
    void shouldKeepNobodyWhoAsksWhileADeviceLeaves() {
        Leavings leavings = new Leavings(done::add, NO_THREADS);
        ServedDevices served = new ServedDevices(leavings, LONG_MILLIS);
        for (String name : List.of("a", "b")) {
            served.put(name, service(name, () -> done.add(
                    name + ask(served, name) + (leavings.has(name) ? ", leaves" : ", is lost"))));
        }

        assertThat(served.sendOff((name, now) -> true)).containsExactly("a", "b");

        assertThat(done).containsExactly("a is served no more, leaves", "b is served no more, leaves");
        assertThat(leavings.has("a") || leavings.has("b")).isFalse();
    }

    private static Served service(String id, Runnable unregister) {
        return new Served(id, Optional.empty(), Optional.empty(), false, unregister);
    }

    private static String ask(ServedDevices served, String name) {
        AtomicReference<String> answer = new AtomicReference<>(" is not told of");
        Thread asking = new Thread(
                () -> answer.set(served.get(name).isPresent() ? " is served" : " is served no more"));
        asking.start();
        try {
            asking.join(LONG_MILLIS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return answer.get();
    }

    /** What fails half-way leaves each device served or leaving. */
    @Test
    void shouldSendOffWhatItCameToBeforeItFailed() {
        ServedDevices served = new ServedDevices(new Leavings(name -> {}, NO_THREADS), LONG_MILLIS);
        for (String name : List.of("a", "b")) {
            served.put(name, service(name, () -> done.add(name)));
        }

        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> served.sendOff((name, now) -> {
            if (name.equals("b")) {
                throw new IllegalStateException("told to fail");
            }
            return true;
        }));

        assertThat(done).containsExactly("a");
        assertThat(served.get("a")).isEmpty();
        assertThat(served.get("b")).isPresent();
    }
}
