// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.SessionTicket;
import dev.ferry.virtio.driver.fake.FakeClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The pool of an owner, its queue, and the tickets of its members. */
class MemberIdsTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Runnable NOTHING_LOST = () -> {};

    private final ObjectWait wait = new ObjectWait();
    private final FakeClock clock = new FakeClock();
    private final ObjectIds pool = new ObjectIds("host1/pf0", 2, wait, clock::nanoTime);
    private final MemberIds first = new MemberIds("host1/pf0/vf1", pool, NOTHING_LOST);
    private final MemberIds second = new MemberIds("host1/pf0/vf2", pool, NOTHING_LOST);
    private final MemberIds third = new MemberIds("host1/pf0/vf3", pool, NOTHING_LOST);
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    private static void assertErrno(Errno errno, String message, Callable<?> call) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call::call)
                .withMessageContaining(message)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void shouldRefuseAtOnceWhenNobodyMayWait() throws Exception {
        wait.configure(() -> 0);
        first.take();
        second.take();

        assertErrno(Errno.ENOSPC, "all 2 device parts objects of host1/pf0 are in use, and none is free",
                () -> third.request().await(LONG));
        assertErrno(Errno.ENOSPC, "object.wait.millis", third::take);
    }

    @Test
    void shouldServeThoseWhoWaitInTheirOrder() throws Exception {
        wait.configure(() -> 1_000);
        int a = first.take();
        int b = second.take();
        List<MemberIds> members = new ArrayList<>();
        List<SessionTicket> tickets = new ArrayList<>();
        for (int member = 10; member < 20; member++) {
            MemberIds ids = new MemberIds("host1/pf0/vf" + member, pool, NOTHING_LOST);
            members.add(ids);
            tickets.add(ids.request());
        }
        tickets.get(3).close(); // in the middle of the queue

        first.giveBack(a);
        second.giveBack(b);
        List<Integer> served = new ArrayList<>();
        for (int round = 0; round < 5; round++) {
            for (int at = 0; at < tickets.size(); at++) {
                if (at != 3 && !served.contains(at) && tickets.get(at).await(Duration.ZERO)) {
                    served.add(at);
                }
            }
            assertThat(pool.taken()).isBetween(1, 2);
            served.stream().skip(Math.max(0, served.size() - 2L)).forEach(at -> tickets.get(at).close());
        }

        assertThat(served).containsExactly(0, 1, 2, 4, 5, 6, 7, 8, 9);
        assertThat(pool.taken()).isZero();
    }

    @Test
    void shouldNotBeOvertakenByWhoDoesNotWait() throws Exception {
        wait.configure(() -> 1_000);
        int a = first.take();
        second.take();
        SessionTicket waiting = third.request();

        first.giveBack(a);

        assertErrno(Errno.ENOSPC, "in use", first::take);
        assertThat(waiting.await(Duration.ZERO)).isTrue();
        assertThat(third.take()).isEqualTo(a);
    }

    /** Gives what becomes of it, once its thread waits. */
    private static Future<Boolean> beginToAwait(SessionTicket ticket) {
        FutureTask<Boolean> task = new FutureTask<>(() -> ticket.await(LONG));
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        long deadline = System.nanoTime() + LONG.toNanos();
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            assertThat(task.isDone() || System.nanoTime() - deadline > 0).as("over before it waits").isFalse();
            Thread.yield();
        }
        return task;
    }

    @Test
    void shouldWakeWhoWaits() throws Exception {
        wait.configure(() -> 60_000);
        int a = first.take();
        second.take();
        SessionTicket ticket = third.request();
        Future<Boolean> waiting = beginToAwait(ticket);

        first.giveBack(a);

        assertThat(waiting.get(30, TimeUnit.SECONDS)).isTrue();
        assertThat(ticket.await(Duration.ZERO)).isTrue();
    }

    @Test
    void shouldEndTheWaitWhenTheConfiguredTimeIsOver() throws Exception {
        wait.configure(() -> 100);
        int a = first.take();
        second.take();
        SessionTicket ticket = third.request();
        assertThat(ticket.await(Duration.ZERO)).isFalse();

        clock.now += TimeUnit.MILLISECONDS.toNanos(100);

        assertErrno(Errno.ENOSPC, "none became free within 100 ms", () -> ticket.await(LONG));
        first.giveBack(a);
        assertErrno(Errno.ENOSPC, "100 ms", () -> ticket.await(LONG));
        assertThat(pool.taken()).isEqualTo(1);
    }

    @Test
    void shouldEndTheWaitOfAMemberThatLeaves() throws Exception {
        wait.configure(() -> 60_000);
        first.take();
        second.take();
        SessionTicket ticket = third.request();
        Future<Boolean> waiting = beginToAwait(ticket);

        third.depart();

        assertThatExceptionOfType(java.util.concurrent.ExecutionException.class)
                .isThrownBy(() -> waiting.get(30, TimeUnit.SECONDS))
                .withMessageContaining("host1/pf0/vf3 is no longer served");
        assertErrno(Errno.ENODEV, "no longer served", third::request);
    }

    @Test
    void shouldGiveBackWhatALeavingMemberWasGrantedAndDidNotUse() throws Exception {
        SessionTicket looked = first.request();
        assertThat(looked.await(Duration.ZERO)).isTrue();
        second.request(); // granted, and nobody has looked

        first.depart();
        second.depart();

        assertThat(pool.taken()).isZero();
        looked.close();
        assertThat(pool.taken()).isZero();
    }

    @Test
    void shouldKeepAnIdForTheSessionsOfOneJob() throws Exception {
        SessionTicket ticket = first.request();
        ticket.await(Duration.ZERO);
        int id = first.take();
        first.giveBack(id);
        second.take();

        assertErrno(Errno.ENOSPC, "in use", third::take);
        assertThat(first.take()).isEqualTo(id);

        ticket.close(); // a session that is open keeps it
        assertErrno(Errno.ENOSPC, "in use", third::take);
        first.giveBack(id);
        assertThat(third.take()).isEqualTo(id);
    }

    @Test
    void shouldUseTheIdOfASessionThatAnEarlierJobLeftOpen() throws Exception {
        int id = first.take();
        second.take();

        SessionTicket ticket = first.request();

        assertThat(ticket.await(Duration.ZERO)).isTrue();
        first.giveBack(id);
        assertThat(first.take()).isEqualTo(id);
        first.giveBack(id);
        ticket.close();
        assertThat(pool.taken()).isEqualTo(1);
    }

    @Test
    void shouldNotGiveAnIdThatWasLost() throws Exception {
        SessionTicket ticket = first.request();
        ticket.await(Duration.ZERO);
        int id = first.take();

        first.lose(id);

        assertThat(first.take()).isNotEqualTo(id);
        ticket.close();
        assertThat(pool.taken()).isEqualTo(2);
        pool.giveBack(id);
        assertThat(pool.taken()).isEqualTo(1);
    }

    @Test
    void shouldGetALostIdBackWhenItHasToWait() throws Exception {
        int lost = first.take();
        first.lose(lost);
        int other = second.take();
        List<Integer> asked = new ArrayList<>();
        MemberIds waiting = new MemberIds("host1/pf0/vf4", pool, () -> {
            asked.add(lost);
            pool.giveBack(lost);
        });

        SessionTicket ticket = waiting.request();
        assertThat(asked).as("a request returns at once").isEmpty();
        assertThat(ticket.await(Duration.ZERO)).isTrue();
        assertThat(ticket.await(Duration.ZERO)).isTrue();

        assertThat(waiting.take()).isEqualTo(lost).isNotEqualTo(other);
        assertThat(asked).as("those who need not wait ask nothing").hasSize(1);
    }

    @Test
    void shouldLoseNoWakeUpAndNoIdWhenManyWaitAndGiveUp() throws Exception {
        wait.configure(() -> 60_000);
        ObjectIds busy = new ObjectIds("host1/pf0", 3, wait, System::nanoTime);
        List<Integer> inUse = new CopyOnWriteArrayList<>();
        List<Future<?>> jobs = new ArrayList<>();
        for (int job = 0; job < 32; job++) {
            MemberIds ids = new MemberIds("vf" + job, busy, NOTHING_LOST);
            boolean givesUp = job % 4 == 3;
            jobs.add(threads.submit(() -> {
                for (int round = 0; round < 200; round++) {
                    SessionTicket ticket = ids.request();
                    boolean granted = ticket.await(givesUp ? Duration.ZERO : LONG);
                    if (granted) {
                        int id = ids.take();
                        assertThat(inUse.contains(id)).isFalse();
                        inUse.add(id);
                        inUse.remove((Integer) id);
                        ids.giveBack(id);
                    }
                    assertThat(granted || givesUp).isTrue();
                    ticket.close();
                }
                return null;
            }));
        }
        for (Future<?> job : jobs) {
            job.get(120, TimeUnit.SECONDS);
        }
        assertThat(busy.taken()).isZero();
    }
}
