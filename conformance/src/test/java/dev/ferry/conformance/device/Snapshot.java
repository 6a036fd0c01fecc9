// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Commands;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.harness.PciView;
import java.util.ArrayList;
import java.util.List;

/**
 * What a driver can find out about an adapter of {@link Scenario#busy}, without a change to it.
 *
 * @param lists what LIST_QUERY says
 * @param objects what QUERY says of each id
 * @param parts of both members, by the object that is there
 * @param takesParts whether member 1 is stopped
 * @param status device status of member 1 as its driver reads it
 */
record Snapshot(List<String> lists, List<String> objects, String parts, String takesParts, long status) {

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
        return new Snapshot(lists, objects, parts, takesParts, status);
    }
}
