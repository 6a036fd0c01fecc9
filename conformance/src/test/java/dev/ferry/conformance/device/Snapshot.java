// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Commands;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.harness.PciView;
import java.util.ArrayList;
import java.util.List;

/**
 * What a driver can find out about an adapter of {@link Scenario#busy}, without a change to it.
 *
 * @param lists what LIST_QUERY says
 * @param inUse opcodes of both groups that are in use
 * @param limits what DRIVER_CAP_SET says to each pair of limits: objects live, so only those that are set are taken
 * @param objects what QUERY says of each id
 * @param parts of both members, by the object that is there
 * @param takesParts whether member 1 is stopped
 * @param status device status of member 1 as its driver reads it
 */
record Snapshot(
        List<String> lists,
        List<Integer> inUse,
        List<Integer> limits,
        List<String> objects,
        String parts,
        String takesParts,
        long status) {

    private static final long NO_MEMBER = -1;
    private static final int LAST_OPCODE = 0x3F;
    private static final int LIST_USE_OPCODE = 1;

    static Snapshot of(Adapter adapter) {
        List<String> lists = new ArrayList<>();
        for (int group : new int[] {Commands.SELF, Commands.SR_IOV}) {
            lists.add(adapter.admin().send(Commands.listQuery(group)).hex());
        }
        List<String> objects = new ArrayList<>();
        for (int id = 0; id < Scenario.LIMIT + 2; id++) {
            objects.add(adapter.admin().send(Commands.query(1, id)).hex());
            objects.add(adapter.admin().send(Commands.query(2, id)).hex());
        }
        objects.add(String.valueOf(adapter.objects()));
        String parts = Part.hex(adapter.parts(1, Scenario.GET_OBJECT)) + Part.hex(adapter.parts(2, Scenario.GET_OF_2));
        // A SET without any part changes nothing, and is refused unless the device is stopped.
        String takesParts = adapter.admin().send(Commands.set(1, Scenario.SET_OBJECT, "")).hex();
        long status = new PciView(adapter.function(1)).common(GuestDriver.DEVICE_STATUS, 1);
        return new Snapshot(lists, inUse(adapter), limits(adapter), objects, parts, takesParts, status);
    }

    /** A member that there is not is found out behind an opcode that is not in use, and before any effect. */
    private static List<Integer> inUse(Adapter adapter) {
        List<Integer> inUse = new ArrayList<>();
        for (int group : new int[] {Commands.SELF, Commands.SR_IOV}) {
            for (int opcode = 0; opcode <= LAST_OPCODE; opcode++) {
                // This one looks at no member: a list that cannot be taken into use does instead.
                String data = opcode == LIST_USE_OPCODE ? Hex.le64(-1) : "";
                String answer = adapter.admin().send(Commands.command(opcode, group, NO_MEMBER, data)).hex();
                if (!answer.equals(Hex.plain(Commands.INVALID_OPCODE))) {
                    inUse.add(group << Short.SIZE | opcode);
                }
            }
        }
        return inUse;
    }

    private static List<Integer> limits(Adapter adapter) {
        List<Integer> statuses = new ArrayList<>();
        for (int get = 0; get <= Scenario.LIMIT + 1; get++) {
            for (int set = 0; set <= Scenario.LIMIT + 1; set++) {
                statuses.add(adapter.admin().send(Commands.driverCapSet(get, set)).status());
            }
        }
        return statuses;
    }
}
