// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.EEXIST;
import static dev.ferry.conformance.harness.Commands.ENOSPC;
import static dev.ferry.conformance.harness.Commands.ENXIO;
import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SET;
import static dev.ferry.conformance.harness.Commands.SIZE;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.destroy;
import static dev.ferry.conformance.harness.Commands.metadata;
import static dev.ferry.conformance.harness.Commands.modify;
import static dev.ferry.conformance.harness.Commands.object;
import static dev.ferry.conformance.harness.Commands.query;
import static dev.ferry.conformance.harness.Commands.set;
import static dev.ferry.conformance.harness.Commands.toMember;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.table.Rule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Device resource objects": what a device must do. */
class ObjectRulesTest {

    private static final String GET_DATA = OK + "00 00000000000000";
    private static final String SET_DATA = OK + "01 00000000000000";

    @RegisterExtension
    final Emulator emulator = new Emulator();

    private static int status(Adapter adapter, String command) {
        return adapter.admin().send(command).status();
    }

    @Test
    @Rule("D31")
    void d31ASecondObjectWithTheSameIdIsRefused() {
        Adapter adapter = emulator.adapter(2).ready();
        adapter.admin().expect(create(1, 5, GET), OK);
        assertThat(status(adapter, create(1, 5, GET))).isEqualTo(EEXIST);
        assertThat(status(adapter, create(1, 5, SET))).isEqualTo(EEXIST);
        adapter.admin().expect(query(1, 5), GET_DATA);
        assertThat(adapter.objects()).isEqualTo(1);
    }

    @Test
    @Rule("D32")
    void d32ObjectsThatAreNotThereAreNotFound() {
        Adapter adapter = emulator.adapter(2).ready();
        adapter.admin().expect(create(1, 5, GET), OK);
        for (long id : new long[] {0, 4, 6, 255, 256, 0x1_0000, 0xFFFF_FFFFL, 5L | 0x100, 5L | 1L << 31}) {
            assertThat(status(adapter, modify(1, id, GET))).as("id %d", id).isEqualTo(ENXIO);
            assertThat(status(adapter, query(1, id))).as("id %d", id).isEqualTo(ENXIO);
            assertThat(status(adapter, destroy(1, id))).as("id %d", id).isEqualTo(ENXIO);
        }
        for (int type : new int[] {1, 0x1FF, 0x200, 0xFFFF}) {
            String other = Hex.le16(type) + Hex.zeros(2) + Hex.le32(5);
            assertThat(status(adapter, toMember(0x0d, 1, other))).as("type 0x%x", type).isEqualTo(ENXIO);
        }
        assertThat(status(adapter, destroy(2, 5))).as("of another member").isEqualTo(ENXIO);
        adapter.admin().expect(destroy(1, 5), OK);
        assertThat(status(adapter, destroy(1, 5))).as("destroyed").isEqualTo(ENXIO);
    }

    @Test
    @Rule("D33")
    void d33CreationsThatAreNotPossibleAreRefused() {
        Adapter adapter = emulator.adapter(Map.of("members", 1, "object.limit", 3)).ready(3, 2);
        assertThat(status(adapter, create(1, 3, GET))).as("an id beyond the limit, of no object yet").isEqualTo(ENOSPC);
        assertThat(status(adapter, create(1, 2, SET))).isEqualTo(ENOSPC);
        adapter.admin().expect(create(1, 0, GET), OK);
        adapter.admin().expect(create(1, 1, SET), OK);
        assertThat(status(adapter, create(1, 2, SET))).isEqualTo(ENOSPC);
        adapter.admin().expect(create(1, 2, GET), OK);
        for (long id : new long[] {3, 4, 255, 256, 0xFFFF_FFFFL}) {
            assertThat(status(adapter, create(1, id, GET))).as("id %d", id).isEqualTo(ENOSPC);
        }
        assertThat(adapter.objects()).isEqualTo(3);
    }

    @Test
    @Rule("D35")
    void d35IdsCanBeUsedAgainWithoutAReset() {
        Adapter adapter = emulator.adapter(2).ready(2, 2);
        for (int round = 0; round < 100; round++) {
            int member = 1 + round % 2;
            int purpose = round / 2 % 2;
            adapter.admin().expect(create(member, 1, purpose), OK);
            adapter.admin().expect(query(member, 1), purpose == GET ? GET_DATA : SET_DATA);
            adapter.admin().expect(destroy(member, 1), OK);
        }
        adapter.expectNoObjects();
    }

    @Test
    @Rule("D36")
    void d36AnyFreeIdCanBeUsedInAnyOrder() {
        Adapter adapter = emulator.adapter(2).ready();
        List<Integer> ids = new ArrayList<>(IntStream.range(0, Adapter.MOST_OBJECTS).boxed().toList());
        Collections.shuffle(ids, new Random(36));
        for (int id : ids) {
            adapter.admin().expect(create(1 + id % 2, id, id / 2 % 2), OK);
        }
        assertThat(adapter.objects()).isEqualTo(Adapter.MOST_OBJECTS);
        Collections.shuffle(ids, new Random(63));
        for (int id : ids) {
            adapter.admin().expect(destroy(1 + id % 2, id), OK);
        }
        adapter.expectNoObjects();
    }

    @Test
    @Rule("D37")
    void d37AsManyObjectsAsTheLimitCanExist() {
        for (int limit : new int[] {1, 2, 100, 255}) {
            Adapter adapter = emulator.adapter(1).ready(limit, limit);
            for (int id = 0; id < limit; id++) {
                adapter.admin().expect(create(1, id, GET), OK);
            }
            assertThat(status(adapter, create(1, limit, GET))).isEqualTo(ENOSPC);
            for (int id = 0; id < limit; id++) {
                assertThat(status(adapter, metadata(1, id, SIZE))).isZero();
            }
            assertThat(adapter.objects()).isEqualTo(limit);
        }
    }

    @Test
    @Rule("D38")
    void d38AModifyThatFailsChangesNothing() {
        Adapter adapter = emulator.adapter(2).ready(2, 1);
        adapter.admin().expect(create(1, 0, SET), OK);
        adapter.admin().expect(create(1, 1, GET), OK);
        List<String> failing = List.of(
                modify(1, 0, 2),
                modify(1, 0, 0xFF),
                modify(2, 0, GET),
                modify(1, 1, SET),
                toMember(0x0b, 1, object(0) + Hex.le64(1) + Hex.le64(0)),
                toMember(0x0b, 1, Hex.le16(7) + Hex.zeros(2) + Hex.le32(0) + Hex.zeros(16)));
        for (String command : failing) {
            assertThat(status(adapter, command)).as(command).isNotZero();
            adapter.admin().expect(query(1, 0), SET_DATA);
            adapter.admin().expect(query(1, 1), GET_DATA);
            assertThat(status(adapter, metadata(1, 0, SIZE))).as("object 0 does not read").isNotZero();
            assertThat(status(adapter, metadata(1, 1, SIZE))).as("object 1 reads").isZero();
        }
    }

    @Test
    @Rule("D39")
    void d39QueryGivesTheLastData() {
        Adapter adapter = emulator.adapter(1).ready();
        adapter.admin().expect(create(1, 0, SET), OK);
        adapter.admin().expect(query(1, 0), SET_DATA);
        adapter.admin().expect(modify(1, 0, GET), OK);
        adapter.admin().expect(query(1, 0), GET_DATA);
        assertThat(status(adapter, metadata(1, 0, SIZE))).isZero();
        adapter.stop(1);
        assertThat(status(adapter, set(1, 0, ""))).as("it does not write any more").isNotZero();
        adapter.admin().expect(modify(1, 0, SET), OK);
        adapter.admin().expect(query(1, 0), SET_DATA);
        adapter.admin().expect(destroy(1, 0), OK);
        adapter.admin().expect(create(1, 0, GET), OK);
        adapter.admin().expect(query(1, 0), GET_DATA);
    }
}
