// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import static dev.ferry.conformance.harness.Commands.INVALID_GROUP;
import static dev.ferry.conformance.harness.Commands.SELF;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.driver.ScriptedQueue.Reply;
import dev.ferry.conformance.harness.Framework.Waiting;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.table.Rule;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Virtio 1.4, "Group administration commands": which commands a driver may send, to which groups and members, by the
 * lists that it has agreed on.
 */
class ListDriverRulesTest {

    private static final int LIST_QUERY = 0x00;
    private static final int LIST_USE = 0x01;
    private static final int CAP_ID_LIST_QUERY = 0x07;
    private static final long SHORT_MILLIS = 100;
    private static final long KNOWN_OPCODES = 0x3FFFFL;
    private static final int LAST_FREE_OPCODE = 0x7FFF;

    @RegisterExtension
    final Provider provider = new Provider();

    @Test
    @Rule("R1")
    void r1NothingButListCommandsIsSentBeforeAListWasAccepted() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        provider.announceReady(queue, 2).migrate();
        Set<Integer> accepted = new HashSet<>();
        for (Exchange exchange : queue.log()) {
            if (exchange.opcode() > LIST_USE) {
                assertThat(accepted).as("groups with a list before %s", exchange).contains(exchange.group());
            }
            if (exchange.opcode() == LIST_USE && exchange.status() == 0) {
                accepted.add(exchange.group());
            }
        }
        assertThat(accepted).contains(SR_IOV);
    }

    @Test
    @Rule("R2")
    void r2NoListIsTakenIntoUseWhileCommandsArePending() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        Provider.Owner owner = provider.announceReady(queue, 2);
        owner.migrate();
        owner.members(1);
        Waiting.untilTrue("one driver", () -> owner.drivers() == 1);
        assertThat(queue.log(LIST_USE)).isNotEmpty().allMatch(exchange -> exchange.pending() == 0);
        List<Exchange> log = queue.log();
        for (int at = 1; at < log.size(); at++) {
            if (log.get(at - 1).opcode() == LIST_USE) {
                assertThat(log.get(at).pending()).as("behind LIST_USE: %s", log.get(at)).isZero();
            }
        }
    }

    @Test
    @Rule("R2")
    void r2NoListIsTakenIntoUseBehindACommandThatIsNeverAnswered() {
        provider.commandTimeout(SHORT_MILLIS);
        ScriptedQueue queue = ScriptedQueue.typical(2);
        queue.script(readable ->
                Exchange.opcode(readable) == CAP_ID_LIST_QUERY ? Optional.of(Reply.NEVER) : Optional.empty());
        Provider.Owner owner = provider.announce(queue, 2);
        Waiting.untilTrue("the failed set-up", () -> owner.refused() == 2);
        queue.script(readable -> Optional.empty());
        int before = queue.log(LIST_QUERY).size();
        owner.members(1);
        Waiting.untilTrue("another set-up", () -> queue.log(LIST_QUERY).size() > before);
        Waiting.untilTrue("its failure", () -> owner.refused() == 1);
        assertThat(queue.log(LIST_USE)).isNotEmpty().allMatch(exchange -> exchange.pending() == 0);
        assertThat(owner.drivers()).isZero();
    }

    @Test
    @Rule("R3")
    void r3OnlyReportedOpcodesAreTakenIntoUse() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        // The capability commands are wanted for both groups and reported for one.
        queue.device.offer(SR_IOV, Hex.le64(0x3E403L));
        provider.announceReady(queue, 2).migrate();
        for (Exchange exchange : queue.log(LIST_USE)) {
            long offered = exchange.group() == SR_IOV ? 0x3E403L : 0x383L;
            assertThat(Hex.number(exchange.data(), 0, 8) & ~offered).as("%s", exchange).isZero();
            assertThat(exchange.status()).isZero();
        }
    }

    @Test
    @Rule("R3")
    void r3OpcodesThatMeanNothingAreLeftAlone() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        queue.device.offer(SR_IOV, "ff".repeat(8192));
        queue.device.offer(SELF, "ff".repeat(8192));
        provider.announceReady(queue, 2).migrate();
        for (Exchange exchange : queue.log(LIST_USE)) {
            byte[] list = exchange.data();
            for (int opcode = LAST_FREE_OPCODE + 1; opcode < 8 * list.length; opcode++) {
                assertThat(list[opcode / 8] >>> opcode % 8 & 1).as("reserved opcode 0x%x", opcode).isZero();
            }
            if (exchange.group() == SELF) {
                assertThat(Hex.number(list, 0, 8) & ~KNOWN_OPCODES).as("self group, %s", exchange).isZero();
            }
        }
    }

    @Test
    @Rule("R4")
    void r4ListCommandsThatAreNotInUseAreNotSent() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        queue.device.offer(SR_IOV, Hex.le64(0x3FF80L));
        Provider.Owner owner = provider.announceReady(queue, 2);
        owner.migrate();
        owner.members(1);
        Waiting.untilTrue("one driver", () -> owner.drivers() == 1);
        assertThat(queue.log().stream()
                        .filter(exchange -> exchange.group() == SR_IOV && exchange.opcode() <= LIST_USE)
                        .map(Exchange::opcode))
                .containsExactly(LIST_QUERY, LIST_USE);
        assertThat(Hex.number(queue.log(LIST_USE).get(0).data(), 0, 8) & 3).isZero();
    }

    @Test
    @Rule("R6")
    void r6OnlyMembersThatExistAreAddressed() throws Exception {
        ScriptedQueue queue = ScriptedQueue.typical(3);
        Provider.Owner owner = provider.announceReady(queue, 3);
        owner.migrate();
        owner.driver(3).save(true);
        assertThat(queue.log().stream().filter(exchange -> exchange.opcode() >= 0x0a))
                .isNotEmpty()
                .allMatch(exchange -> exchange.group() == SR_IOV && exchange.member() >= 1 && exchange.member() <= 3)
                .allMatch(exchange -> exchange.status() == 0);
        owner.members(1);
        Waiting.untilTrue("one driver", () -> owner.drivers() == 1);
        int before = queue.log().size();
        owner.driver(1).save(false);
        assertThat(queue.log().subList(before, queue.log().size())).allMatch(exchange -> exchange.member() == 1);
        owner.members(0);
        Waiting.untilTrue("no driver", () -> owner.drivers() == 0);
        assertThat(queue.device.objects()).isZero();
    }

    @Test
    @Rule("R7")
    void r7AGroupThatIsNotThereIsLeftAlone() {
        ScriptedQueue queue = ScriptedQueue.typical(2);
        queue.script(readable -> Hex.number(readable, 2, 2) == SR_IOV
                ? Optional.of(Reply.of(INVALID_GROUP))
                : Optional.empty());
        Provider.Owner owner = provider.announce(queue, 2);
        owner.awaitCommand(LIST_QUERY);
        Waiting.untilTrue("an answer", () -> !queue.log().isEmpty());
        owner.members(2);
        assertThat(queue.log().stream().filter(exchange -> exchange.group() == SR_IOV))
                .allMatch(exchange -> exchange.opcode() == LIST_QUERY);
        assertThat(owner.drivers()).isZero();
    }
}
