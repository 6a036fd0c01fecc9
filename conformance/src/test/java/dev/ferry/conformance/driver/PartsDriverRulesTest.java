// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import static dev.ferry.conformance.harness.Commands.ENXIO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.ferry.conformance.driver.ScriptedQueue.Reply;
import dev.ferry.conformance.harness.Framework.Waiting;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.table.Rule;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, capabilities, resource objects and device parts: what a driver must do. */
class PartsDriverRulesTest {

    private static final int DRIVER_CAP_SET = 0x09;
    private static final int CREATE = 0x0a;
    private static final int DESTROY = 0x0d;
    private static final int METADATA_GET = 0x0e;
    private static final int PARTS_GET = 0x0f;
    private static final int PARTS_SET = 0x10;
    private static final int MODE_SET = 0x11;
    private static final int OBJECT_HEADER_BYTES = 8;

    @RegisterExtension
    final Provider provider = new Provider();

    @Test
    @Rule("R14")
    void r14TheCapabilityIsSetBeforeTheFirstObject() throws IOException {
        ScriptedQueue queue = ScriptedQueue.typical(2, 9, 9);
        provider.announceReady(queue, 2).migrate();
        List<Integer> opcodes = queue.log().stream().map(Exchange::opcode).toList();
        assertThat(opcodes.indexOf(DRIVER_CAP_SET)).isBetween(0, opcodes.indexOf(CREATE) - 1);
        assertThat(queue.log(DRIVER_CAP_SET)).hasSize(1).allMatch(exchange -> exchange.status() == 0);
    }

    @Test
    @Rule("R14")
    void r14WithoutTheCapabilityNoObjectIsCreated() {
        ScriptedQueue queue = ScriptedQueue.typical(2, 9, 9);
        queue.script(readable -> Exchange.opcode(readable) == DRIVER_CAP_SET
                ? Optional.of(Reply.of("1600 0300 00000000"))
                : Optional.empty());
        Provider.Owner owner = provider.announce(queue, 2);
        owner.awaitCommand(DRIVER_CAP_SET);
        owner.members(2);
        assertThat(owner.drivers()).isZero();
        assertThat(queue.log(CREATE)).isEmpty();
    }

    @Test
    @Rule("R15")
    void r15LimitsAreNotAboveTheDevices() {
        int[][] offered = {{255, 255}, {7, 3}, {3, 7}, {1, 1}, {200, 255}};
        for (int[] limits : offered) {
            ScriptedQueue queue = ScriptedQueue.typical(1, limits[0], limits[1]);
            provider.announceReady(queue, 1);
            byte[] data = queue.log(DRIVER_CAP_SET).get(0).data();
            assertThat(Hex.number(data, 0, 8)).as("capability id and reserved bytes").isZero();
            assertThat(data[8] & 0xFF).as("limit of objects that read").isBetween(1, limits[0]);
            assertThat(data[9] & 0xFF).as("limit of objects that write").isBetween(1, limits[1]);
        }
    }

    @Test
    @Rule("R15")
    void r15WithoutObjectsNothingIsMigratable() {
        int[][] offered = {{0, 0}, {0, 9}, {9, 0}};
        for (int[] limits : offered) {
            ScriptedQueue queue = ScriptedQueue.typical(1, limits[0], limits[1]);
            Provider.Owner owner = provider.announce(queue, 1);
            owner.awaitCommand(0x08);
            owner.members(1);
            assertThat(owner.drivers()).isZero();
            assertThat(queue.log(CREATE)).isEmpty();
        }
    }

    @Test
    @Rule("R16")
    void r16TheCapabilityIsLeftAloneWhileObjectsExist() throws IOException {
        ScriptedQueue queue = ScriptedQueue.typical(3, 9, 9);
        Provider.Owner owner = provider.announceReady(queue, 1);
        Machine machine = owner.driver(1);
        machine.stop();
        machine.openSaving();
        assertThat(queue.device.objects()).isEqualTo(1);
        owner.members(3);
        Waiting.untilTrue("three drivers", () -> owner.drivers() == 3);
        owner.driver(2).save(false);
        owner.members(2);
        Waiting.untilTrue("two drivers", () -> owner.drivers() == 2);
        assertThat(queue.log(DRIVER_CAP_SET)).hasSize(1);
        machine.step(Arc.STOP_COPY_TO_STOP);
        assertThat(queue.log(DRIVER_CAP_SET)).hasSize(1);
    }

    @Test
    @Rule("R17")
    void r17NoIdIsUsedTwiceAndNeverMoreThanTheLimit() throws IOException {
        int limit = 3;
        ScriptedQueue queue = ScriptedQueue.typical(5, limit, limit);
        Provider.Owner owner = provider.announceReady(queue, 5);
        for (int member = 1; member <= limit; member++) {
            owner.driver(member).stop();
            if (member == 2) {
                owner.driver(member).openResuming();
            } else {
                owner.driver(member).openSaving();
            }
        }
        owner.driver(4).stop();
        DeviceException refused = catchThrowableOfType(DeviceException.class, () -> owner.driver(4).openSaving());
        assertThat(refused.errno()).isEqualTo(Errno.ENOSPC);
        assertThat(queue.device.objects()).isEqualTo(limit);
        owner.driver(1).step(Arc.STOP_COPY_TO_STOP);
        owner.driver(4).openSaving();
        owner.driver(4).step(Arc.STOP_COPY_TO_STOP);
        expectIdsInOrder(queue.log(), limit);
    }

    /** No id is created while it is alive, none is beyond the limit, and only what is alive is used. */
    private static void expectIdsInOrder(List<Exchange> log, int limit) {
        Map<Long, Long> alive = new HashMap<>();
        for (Exchange exchange : log) {
            if (exchange.opcode() == CREATE) {
                assertThat(exchange.object()).as("%s", exchange).isBetween(0L, limit - 1L);
                assertThat(alive.put(exchange.object(), exchange.member())).as("%s", exchange).isNull();
                assertThat(alive).hasSizeLessThanOrEqualTo(limit);
            } else if (exchange.opcode() > CREATE && exchange.opcode() < MODE_SET) {
                assertThat(alive).as("%s", exchange).containsEntry(exchange.object(), exchange.member());
            }
            if (exchange.opcode() == DESTROY) {
                alive.remove(exchange.object());
            }
        }
    }

    @Test
    @Rule("R17")
    void r17IdsOfBothDirectionsComeFromOnePool() throws IOException {
        ScriptedQueue queue = ScriptedQueue.typical(2, 2, 2);
        Provider.Owner owner = provider.announceReady(queue, 2);
        owner.driver(1).stop();
        owner.driver(2).stop();
        owner.driver(1).openSaving();
        owner.driver(2).openResuming();
        Set<Long> ids = new HashSet<>();
        queue.log(CREATE).forEach(exchange -> ids.add(exchange.object()));
        assertThat(ids).hasSize(2);
        assertThat(queue.log(CREATE)).allMatch(exchange -> exchange.status() == 0);
    }

    @Test
    @Rule("R18")
    void r18DestroyedObjectsAreNotUsedAgain() throws IOException {
        ScriptedQueue queue = ScriptedQueue.typical(2, 4, 4);
        Provider.Owner owner = provider.announceReady(queue, 2);
        owner.migrate();
        Machine machine = owner.driver(1);
        machine.stop();
        SavingSession saving = machine.openSaving();
        machine.step(Arc.STOP_COPY_TO_STOP);
        ResumingSession resuming = machine.openResuming();
        resuming.write(ByteBuffer.wrap(Machine.record(TypicalParts.hex())));
        machine.step(Arc.RESUMING_TO_STOP);
        int before = queue.log().size();
        assertThatThrownBy(() -> saving.read(ByteBuffer.allocate(100))).isInstanceOf(DeviceException.class);
        assertThatThrownBy(() -> resuming.write(ByteBuffer.wrap(Machine.record(TypicalParts.hex()))))
                .isInstanceOf(DeviceException.class);
        assertThat(queue.log()).hasSize(before);
        expectIdsInOrder(queue.log(), 4);
        assertThat(queue.log()).noneMatch(exchange -> exchange.status() == ENXIO);
        assertThat(queue.device.objects()).isZero();
    }

    @Test
    @Rule("R18")
    void r18ObjectsOfFailedSessionsAreDestroyedOnce() {
        ScriptedQueue queue = ScriptedQueue.typical(1, 4, 4);
        Provider.Owner owner = provider.announceReady(queue, 1);
        for (int opcode : new int[] {METADATA_GET, PARTS_GET}) {
            queue.script(readable -> Exchange.opcode(readable) == opcode
                    ? Optional.of(Reply.of(StrictOwner.failure(28)))
                    : Optional.empty());
            assertThatThrownBy(() -> owner.driver(1).step(Arc.RUNNING_TO_PRE_COPY)).isInstanceOf(DeviceException.class);
            assertThat(queue.device.objects()).isZero();
        }
        expectIdsInOrder(queue.log(), 4);
        assertThat(queue.log(DESTROY)).hasSize(2);
    }

    @Test
    @Rule("R20")
    void r20TheDeviceIsStoppedBeforePartsAreWritten() throws IOException {
        ScriptedQueue queue = ScriptedQueue.typical(2, 9, 9);
        provider.announceReady(queue, 2).migrate();
        Set<Long> stopped = new HashSet<>();
        for (Exchange exchange : queue.log()) {
            if (exchange.opcode() == MODE_SET) {
                boolean stop = exchange.data()[0] == 1;
                assertThat(stop ? stopped.add(exchange.member()) : stopped.remove(exchange.member())).isTrue();
            }
            if (exchange.opcode() == PARTS_SET) {
                assertThat(stopped).as("%s", exchange).contains(exchange.member());
                assertThat(exchange.status()).isZero();
            }
        }
        assertThat(queue.log(PARTS_SET)).hasSizeGreaterThanOrEqualTo(2);
        assertThat(stopped).as("still stopped at the end").isEmpty();
    }

    @Test
    @Rule("R20")
    void r20NoPartsAreWrittenWhenTheDeviceDoesNotStop() {
        ScriptedQueue queue = ScriptedQueue.typical(1, 9, 9);
        Provider.Owner owner = provider.announceReady(queue, 1);
        queue.script(readable -> Exchange.opcode(readable) == MODE_SET
                ? Optional.of(Reply.of(StrictOwner.failure(16)))
                : Optional.empty());
        assertThatThrownBy(() -> owner.driver(1).load(Machine.record(TypicalParts.hex())))
                .isInstanceOf(DeviceException.class);
        assertThat(queue.log(PARTS_SET)).isEmpty();
    }

    @Test
    @Rule("R21")
    void r21PartsAreWrittenWholeAndInTheOrderOfTheTable() throws IOException {
        ScriptedQueue queue = ScriptedQueue.typical(2, 9, 9);
        Provider.Owner owner = provider.announceReady(queue, 2);
        byte[] saved = owner.driver(1).save(true);
        owner.driver(2).stop();
        ResumingSession session = owner.driver(2).openResuming();
        for (byte one : saved) {
            session.write(ByteBuffer.wrap(new byte[] {one}));
        }
        owner.driver(2).step(Arc.RESUMING_TO_STOP);
        assertThat(queue.log(PARTS_SET)).isNotEmpty().allSatisfy(exchange -> {
            byte[] data = exchange.data();
            String parts = Hex.of(Arrays.copyOfRange(data, OBJECT_HEADER_BYTES, data.length));
            assertThat(parts).startsWith(TypicalParts.hex());
            assertThat(parts.substring(TypicalParts.hex().length())).matches("(00){0,7}");
        });
    }

    @Test
    @Rule("R21")
    void r21PartsInAnotherOrderAreNotWritten() throws IOException {
        List<Part> parts = new ArrayList<>(TypicalParts.parts());
        Collections.reverse(parts);
        ScriptedQueue queue = ScriptedQueue.typical(1, 9, 9);
        Provider.Owner owner = provider.announceReady(queue, 1);
        owner.driver(1).stop();
        ResumingSession session = owner.driver(1).openResuming();
        try {
            session.write(ByteBuffer.wrap(Machine.record(Part.hex(parts))));
        } catch (IOException e) {
            assertThat(queue.log(PARTS_SET)).isEmpty();
        }
        // Whoever sorts them is as good as whoever refuses them.
        assertThat(queue.log(PARTS_SET)).allSatisfy(exchange -> {
            byte[] data = exchange.data();
            assertThat(Hex.of(Arrays.copyOfRange(data, OBJECT_HEADER_BYTES, data.length)))
                    .startsWith(TypicalParts.parts().get(0).header());
        });
    }

    @Test
    @Rule("R22")
    void r22TheConfigurationOfAStoppedDeviceIsLeftAlone() throws IOException {
        ScriptedQueue queue = ScriptedQueue.typical(2, 9, 9);
        queue.device.offer(1, Hex.le64(0x3FFFFL));
        provider.announceReady(queue, 2).migrate();
        Set<Long> stopped = new HashSet<>();
        for (Exchange exchange : queue.log()) {
            if (exchange.opcode() == MODE_SET && exchange.data()[0] == 1) {
                stopped.add(exchange.member());
            } else if (exchange.opcode() == MODE_SET) {
                stopped.remove(exchange.member());
            } else if (stopped.contains(exchange.member())) {
                assertThat(exchange.opcode()).as("%s", exchange).isBetween(CREATE, PARTS_SET);
            }
        }
    }

    @Test
    @Rule("R23")
    void r23TheSpaceIsAsLargeAsTheDeviceSays() throws IOException {
        for (int filler : new int[] {0, 5, 40_000}) {
            ScriptedQueue queue = ScriptedQueue.typical(2, 9, 9);
            queue.device.parts(1, TypicalParts.hex() + TypicalParts.optional(filler));
            int bytes = queue.device.parts(1).length() / 2;
            Provider.Owner owner = provider.announceReady(queue, 2);
            owner.driver(1).save(true);
            owner.driver(1).run();
            byte[] saved = owner.driver(1).save(false);
            assertThat(saved).hasSize(16 + bytes);
            assertThat(queue.log(METADATA_GET)).allMatch(exchange -> exchange.space() >= 8 + 8);
            assertThat(queue.log(PARTS_GET)).hasSizeGreaterThanOrEqualTo(2).allMatch(e -> e.space() >= 8 + bytes);
            assertThat(queue.log()).allMatch(exchange -> exchange.status() == 0 || exchange.opcode() == 0x07);
        }
    }
}
