// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.EBUSY;
import static dev.ferry.conformance.harness.Commands.EINVAL;
import static dev.ferry.conformance.harness.Commands.ENOSPC;
import static dev.ferry.conformance.harness.Commands.ENXIO;
import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.INVALID_FIELD;
import static dev.ferry.conformance.harness.Commands.INVALID_GROUP;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SELF;
import static dev.ferry.conformance.harness.Commands.SET;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static dev.ferry.conformance.harness.Commands.capIdListQuery;
import static dev.ferry.conformance.harness.Commands.command;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.destroy;
import static dev.ferry.conformance.harness.Commands.deviceCapGet;
import static dev.ferry.conformance.harness.Commands.driverCapSet;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.listUse;
import static dev.ferry.conformance.harness.Commands.toSelf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.table.Rule;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Device and driver capabilities": what a device must do. */
class CapabilityRulesTest {

    private static final long CAPABILITY_OPCODES = 0x380L;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    @Test
    @Rule("D23")
    void d23AllThreeCapabilityCommandsAreThere() {
        for (Adapter adapter : List.of(emulator.strict(1), emulator.adapter(1))) {
            long offered = Hex.number(adapter.admin().accept(listQuery(SELF)).result(), 0, 8);
            assertThat(offered & CAPABILITY_OPCODES).isEqualTo(CAPABILITY_OPCODES);
            adapter.admin().accept(listUse(SELF, Adapter.ALL_SELF_OPCODES));
            adapter.admin().expect(capIdListQuery(), OK + Hex.le64(1));
            adapter.admin().expect(deviceCapGet(0), OK + "ffff");
            adapter.admin().expect(driverCapSet(255, 255), OK);
        }
    }

    @Test
    @Rule("D24")
    void d24SmallerLimitsAreAcceptedAndHold() {
        Adapter adapter = emulator.adapter(Map.of("members", 1, "object.limit", 9));
        adapter.ready(9, 9);
        adapter.admin().expect(deviceCapGet(0), OK + "0909");
        for (int get = 0; get <= 9; get++) {
            for (int set = 0; set <= 9; set++) {
                adapter.admin().expect(driverCapSet(get, set), OK);
                adapter.admin().expect(deviceCapGet(0), OK + "0909");
            }
        }
        adapter.admin().expect(driverCapSet(2, 1), OK);
        adapter.admin().expect(create(1, 1, GET), OK);
        assertThat(adapter.admin().send(create(1, 2, GET)).status()).isEqualTo(ENOSPC);
    }

    @Test
    @Rule("D25")
    void d25LargerLimitsAreRefused() {
        Adapter adapter = emulator.adapter(Map.of("members", 1, "object.limit", 9));
        adapter.ready(3, 3);
        adapter.admin().expect(driverCapSet(10, 9), INVALID_FIELD);
        adapter.admin().expect(driverCapSet(9, 10), INVALID_FIELD);
        adapter.admin().expect(driverCapSet(255, 0), INVALID_FIELD);
        adapter.admin().expect(create(1, 2, SET), OK);
        assertThat(adapter.admin().send(create(1, 3, GET)).status()).as("limit as before").isEqualTo(ENOSPC);
    }

    @Test
    @Rule("D26")
    void d26OtherGroupsThanSelfAreRefused() {
        for (Adapter adapter : List.of(emulator.strict(1).ready(), emulator.adapter(1).ready())) {
            for (long member : new long[] {0, 1}) {
                adapter.admin().expect(command(0x07, SR_IOV, member, ""), INVALID_GROUP);
                adapter.admin().expect(command(0x08, SR_IOV, member, Hex.zeros(8)), INVALID_GROUP);
                adapter.admin().expect(command(0x09, SR_IOV, member, Hex.zeros(8) + "0101"), INVALID_GROUP);
            }
            assertThat(adapter.admin().send(command(0x07, 2, 0, "")).status()).isEqualTo(EINVAL);
            adapter.admin().expect(create(1, 200, GET), OK);
        }
    }

    @Test
    @Rule("D27")
    void d27TheCapabilityStaysUnderLivingObjects() {
        Adapter adapter = emulator.adapter(1).ready(4, 4);
        adapter.admin().expect(create(1, 3, GET), OK);
        assertThat(adapter.admin().send(driverCapSet(0, 0)).status()).isEqualTo(EBUSY);
        assertThat(adapter.admin().send(driverCapSet(0, 4)).status()).isEqualTo(EBUSY);
        assertThat(adapter.admin().send(driverCapSet(2, 2)).status()).as("below a living id").isEqualTo(EBUSY);
        adapter.admin().expect(create(1, 2, SET), OK);
        adapter.admin().expect(destroy(1, 2), OK);
        assertThat(adapter.admin().send(driverCapSet(0, 0)).status()).isEqualTo(EBUSY);
        adapter.admin().expect(destroy(1, 3), OK);
        adapter.admin().expect(driverCapSet(0, 0), OK);
        assertThat(adapter.admin().send(create(1, 0, GET)).status()).isEqualTo(ENOSPC);
    }

    @Test
    @Rule("D28")
    void d28UnknownCapabilitiesAreNotFound() {
        Adapter adapter = emulator.adapter(1).ready(4, 4);
        for (int id : new int[] {1, 2, 0x100, 0x7FF, 0x800, 0x801, 0x802, 0xFFF, 0x1000, 0xFFFF}) {
            assertThat(adapter.admin().send(deviceCapGet(id)).status()).as("id 0x%x", id).isEqualTo(ENXIO);
            String set = toSelf(0x09, Hex.le16(id) + Hex.zeros(6) + "0101");
            assertThat(adapter.admin().send(set).status()).as("id 0x%x", id).isEqualTo(ENXIO);
        }
        adapter.admin().expect(create(1, 3, GET), OK);
    }

    @Test
    @Rule("D30")
    void d30LimitsThatWereNotSetAreZero() {
        Adapter adapter = emulator.adapter(1);
        adapter.admin().accept(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES));
        for (int purpose : new int[] {GET, SET}) {
            assertThat(adapter.admin().send(create(1, 0, purpose)).status()).isEqualTo(ENOSPC);
        }
        adapter.admin().accept(toSelf(0x09, Hex.zeros(8) + "01"));
        adapter.admin().expect(create(1, 0, GET), OK);
        adapter.admin().expect(destroy(1, 0), OK);
        assertThat(adapter.admin().send(create(1, 0, SET)).status())
                .as("the limit that was left out")
                .isEqualTo(ENOSPC);
    }
}
