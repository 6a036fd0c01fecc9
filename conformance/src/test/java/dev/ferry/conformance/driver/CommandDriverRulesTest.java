// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import static dev.ferry.conformance.harness.Commands.OK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.ferry.conformance.driver.ScriptedQueue.Reply;
import dev.ferry.conformance.harness.Framework.Waiting;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.table.Rule;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.virtio.AdminCommandException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Virtio 1.4, "Group administration commands" and "Administration Virtqueues": how a driver sends one command, and how
 * it reads the answer.
 */
class CommandDriverRulesTest {

    private static final int METADATA_GET = 0x0e;
    private static final int MODE_SET = 0x11;
    private static final long LONG_SECONDS = 60;

    @RegisterExtension
    final Provider provider = new Provider();

    @Test
    @Rule("R5")
    void r5UnknownStatusAndQualifierAreTakenForInvalid() {
        ScriptedQueue queue = ScriptedQueue.typical(1);
        Provider.Owner owner = provider.announceReady(queue, 1);
        for (int status : new int[] {1, 5, 7, 95, 0x7777, 0xFFFF}) {
            queue.script(readable -> Optional.of(Reply.of(Hex.le16(status) + "9900" + Hex.zeros(4))));
            AdminCommandException refused = catchThrowableOfType(
                    AdminCommandException.class, () -> owner.driver(1).step(Arc.RUNNING_TO_RUNNING_P2P));
            assertThat(refused.errno()).as("status %d", status).isEqualTo(Errno.EINVAL);
            assertThat(refused.status().name()).isEqualTo("EINVAL");
            assertThat(refused.qualifier().name()).isEqualTo("Q_INVALID_COMMAND");
        }
        assertThat(queue.log(0x11)).as("no repetition").hasSize(6);
    }

    @Test
    @Rule("R8")
    void r8BothPartsAreWholeWordsAndHoldTheirStructures() throws Exception {
        for (int odd = 0; odd < 8; odd++) {
            ScriptedQueue queue = ScriptedQueue.typical(2);
            queue.device.parts(1, TypicalParts.hex() + TypicalParts.optional(odd));
            provider.announceReady(queue, 2).migrate();
            Map<Integer, Integer> structures = new HashMap<>(Map.of(
                    0x00, 24, 0x01, 32, 0x07, 24, 0x08, 32, 0x09, 34, 0x0a, 48, 0x0d, 32, 0x0e, 40, 0x0f, 40));
            structures.put(0x10, 24 + 8 + queue.device.parts(1).length() / 2);
            structures.put(0x11, 25);
            for (Exchange exchange : queue.log()) {
                assertThat(exchange.readable().length % 8).as("readable, %s", exchange).isZero();
                assertThat(exchange.space() % 8).as("writable, %s", exchange).isZero();
                assertThat(exchange.space()).isGreaterThanOrEqualTo(8);
                assertThat(exchange.readable().length)
                        .as("%s", exchange)
                        .isGreaterThanOrEqualTo(structures.get(exchange.opcode()));
            }
        }
    }

    @Test
    @Rule("R9")
    void r9AStatusBehindTheUsedLengthReadsAsZero() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(1);
        Provider.Owner owner = provider.announceReady(queue, 1);
        queue.script(readable -> Optional.of(new Reply("ffffffffffffffff", 0)));
        owner.driver(1).step(Arc.RUNNING_TO_RUNNING_P2P);
        queue.script(readable -> Optional.of(new Reply("0b00ffffffffffff", 1)));
        DeviceException refused =
                catchThrowableOfType(DeviceException.class, () -> owner.driver(1).step(Arc.RUNNING_P2P_TO_RUNNING));
        assertThat(refused).as("the first byte of a status says 11, try again").isNotNull();
        assertThat(refused.errno()).isEqualTo(Errno.EAGAIN);
    }

    @Test
    @Rule("R9")
    void r9AResultBehindTheUsedLengthReadsAsZero() {
        ScriptedQueue queue = ScriptedQueue.typical(1);
        Provider.Owner owner = provider.announceReady(queue, 1);
        String ones = OK + "ff".repeat(8);
        queue.script(readable -> Exchange.opcode(readable) == 0x0e
                ? Optional.of(new Reply(Hex.plain(ones), 8))
                : Optional.empty());
        DeviceException refused =
                catchThrowableOfType(DeviceException.class, () -> owner.driver(1).driver().stopCopySize());
        assertThat(refused).as("a size of 0").isNotNull();
        queue.script(readable -> Exchange.opcode(readable) == 0x0e
                ? Optional.of(new Reply(Hex.plain(OK + "40010000 ffffffff"), 9))
                : Optional.empty());
        assertThat(sizeOf(owner)).isEqualTo(0x40);
    }

    private static long sizeOf(Provider.Owner owner) {
        try {
            return owner.driver(1).driver().stopCopySize();
        } catch (DeviceException e) {
            // One byte of a number of four may also be refused as cut off, but never be read with what lies behind.
            assertThat(e.errno()).isEqualTo(Errno.EINVAL);
            return 0x40;
        }
    }

    @Test
    @Rule("R9")
    void r9ALimitBehindTheUsedLengthReadsAsZero() {
        ScriptedQueue queue = ScriptedQueue.typical(1);
        queue.script(readable -> Exchange.opcode(readable) == 0x08
                ? Optional.of(new Reply(Hex.plain(OK + "ffff"), 9))
                : Optional.empty());
        Provider.Owner owner = provider.announce(queue, 1);
        Waiting.untilTrue("the end of the set-up", () -> owner.refused() == 1);
        assertThat(queue.log(0x09)).as("no capability without any object that writes").isEmpty();
        assertThat(owner.drivers()).isZero();
    }

    @Test
    @Rule("R10")
    void r10CommandsForOneMemberWaitForEachOther() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        Provider.Owner owner = provider.announceReady(queue, 2);
        owner.migrate();
        assertThat(queue.log()).isNotEmpty().allMatch(exchange -> exchange.pending() == 0);
        FutureTask<Void> other = new FutureTask<>(() -> stopAndRun(owner.driver(2)), null);
        new Thread(other).start();
        stopAndRun(owner.driver(1));
        other.get(LONG_SECONDS, TimeUnit.SECONDS);
        assertThat(queue.log()).as("one pending command of the other member at most").allMatch(e -> e.pending() <= 1);
    }

    @Test
    @Rule("R10")
    void r10CallersOnSeveralThreadsHaveTheirCommandsForOneMemberSentOneByOne() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(1);
        Provider.Owner owner = provider.announceReady(queue, 1);
        Machine machine = owner.driver(1);
        CountDownLatch asked = new CountDownLatch(1);
        FutureTask<Long> asking = new FutureTask<>(() -> sizeOf(owner));
        FutureTask<Void> stopping = new FutureTask<>(() -> stopAndRun(machine), null);
        Thread second = new Thread(stopping);
        queue.script(readable -> {
            if (Exchange.opcode(readable) == METADATA_GET) {
                asked.countDown();
                // For the member, or for an answer when its command came through.
                Waiting.untilTrue("the other to wait", () -> second.getState() == Thread.State.TIMED_WAITING);
            }
            return Optional.empty();
        });
        new Thread(asking).start();
        assertThat(asked.await(LONG_SECONDS, TimeUnit.SECONDS)).isTrue();
        second.start();
        asking.get(LONG_SECONDS, TimeUnit.SECONDS);
        stopping.get(LONG_SECONDS, TimeUnit.SECONDS);
        assertThat(queue.log(MODE_SET)).isNotEmpty();
        assertThat(queue.log()).allMatch(exchange -> exchange.pending() == 0);
    }

    private static void stopAndRun(Machine machine) {
        try {
            for (int round = 0; round < 50; round++) {
                machine.step(machine.driver().state() == DeviceState.RUNNING
                        ? Arc.RUNNING_TO_RUNNING_P2P
                        : Arc.RUNNING_P2P_TO_RUNNING);
            }
        } catch (DeviceException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Rule("R11")
    void r11TryAgainIsTriedAgain() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        Map<String, AtomicInteger> refusals = new HashMap<>();
        queue.script(readable -> {
            int attempt = refusals.computeIfAbsent(Hex.of(readable), key -> new AtomicInteger())
                    .getAndIncrement();
            return attempt % 3 < 2 ? Optional.of(Reply.of("0b00 0700 00000000")) : Optional.empty();
        });
        provider.announceReady(queue, 2).migrate();
        assertThat(queue.log().stream().filter(exchange -> exchange.status() == 11).map(Exchange::opcode))
                .contains(0x00, 0x01, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x0e, 0x0f, 0x10, 0x11);
        List<Exchange> log = queue.log();
        for (int at = 0; at < log.size() - 1; at++) {
            if (log.get(at).status() == 11) {
                assertThat(log.get(at + 1).readable()).as("behind EAGAIN").isEqualTo(log.get(at).readable());
            }
        }
    }
}
