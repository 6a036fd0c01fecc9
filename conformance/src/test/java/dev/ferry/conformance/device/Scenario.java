// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.COUNT;
import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.LIST;
import static dev.ferry.conformance.harness.Commands.SELF;
import static dev.ferry.conformance.harness.Commands.SET;
import static dev.ferry.conformance.harness.Commands.SIZE;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static dev.ferry.conformance.harness.Commands.capIdListQuery;
import static dev.ferry.conformance.harness.Commands.command;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.destroy;
import static dev.ferry.conformance.harness.Commands.deviceCapGet;
import static dev.ferry.conformance.harness.Commands.driverCapSet;
import static dev.ferry.conformance.harness.Commands.getAll;
import static dev.ferry.conformance.harness.Commands.getSelected;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.listUse;
import static dev.ferry.conformance.harness.Commands.metadata;
import static dev.ferry.conformance.harness.Commands.modify;
import static dev.ferry.conformance.harness.Commands.object;
import static dev.ferry.conformance.harness.Commands.query;
import static dev.ferry.conformance.harness.Commands.resume;
import static dev.ferry.conformance.harness.Commands.set;
import static dev.ferry.conformance.harness.Commands.stop;
import static dev.ferry.conformance.harness.Commands.toMember;
import static dev.ferry.conformance.harness.Commands.toSelf;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.AdminPort;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import java.util.ArrayList;
import java.util.List;

/** Sequences of commands that several rules are tried on. */
final class Scenario {

    /** Objects that the driver of {@link #busy} may have of each kind. */
    static final int LIMIT = 4;
    /** The object of member 1 that reads. */
    static final int GET_OBJECT = 0;
    /** The object of member 1 that writes. */
    static final int SET_OBJECT = 1;
    /** The object of member 2 that reads. */
    static final int GET_OF_2 = 2;

    private static final int PARTS_SPACE = 1 << 16;

    private Scenario() {}

    /** Does something with one command. */
    @FunctionalInterface
    interface Step {
        void send(String command, int space);
    }

    /** A whole life with every command, all of which succeed: from the state after reset to no object left. */
    static void everyCommand(Adapter adapter, Step step) {
        for (int group : new int[] {SELF, SR_IOV}) {
            step.send(listQuery(group), AdminPort.SPACE);
        }
        step.send(listUse(SELF, Adapter.ALL_SELF_OPCODES), AdminPort.SPACE);
        step.send(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES), AdminPort.SPACE);
        step.send(capIdListQuery(), AdminPort.SPACE);
        step.send(deviceCapGet(0), AdminPort.SPACE);
        step.send(driverCapSet(LIMIT, LIMIT), AdminPort.SPACE);
        step.send(create(1, GET_OBJECT, GET), AdminPort.SPACE);
        step.send(create(1, SET_OBJECT, GET), AdminPort.SPACE);
        step.send(modify(1, SET_OBJECT, SET), AdminPort.SPACE);
        step.send(query(1, SET_OBJECT), AdminPort.SPACE);
        step.send(metadata(1, GET_OBJECT, SIZE), AdminPort.SPACE);
        step.send(metadata(1, GET_OBJECT, COUNT), AdminPort.SPACE);
        step.send(metadata(1, GET_OBJECT, LIST), PARTS_SPACE);
        step.send(getAll(1, GET_OBJECT), PARTS_SPACE);
        step.send(stop(1), AdminPort.SPACE);
        List<Part> parts = adapter.parts(1, GET_OBJECT);
        step.send(getSelected(1, GET_OBJECT, parts.get(1).header()), PARTS_SPACE);
        step.send(set(1, SET_OBJECT, Part.hex(parts)), AdminPort.SPACE);
        step.send(resume(1), AdminPort.SPACE);
        step.send(destroy(1, SET_OBJECT), AdminPort.SPACE);
        step.send(destroy(1, GET_OBJECT), AdminPort.SPACE);
    }

    /** An adapter of two VFs with three objects; VF 1 has a driver that is at work, and is stopped. */
    static Adapter busy(Adapter adapter) {
        adapter.ready(LIMIT, LIMIT);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.postReceiveBuffers(4);
        driver.control(0, 0, (byte) 1);
        driver.control(2, 0, (byte) 7, (byte) 0);
        adapter.admin().accept(create(1, GET_OBJECT, GET));
        adapter.admin().accept(create(1, SET_OBJECT, SET));
        adapter.admin().accept(create(2, GET_OF_2, GET));
        adapter.stop(1);
        return adapter;
    }

    /** Commands that a device as {@link #busy} leaves it must refuse, each for another reason. */
    static List<String> refusedCommands() {
        List<String> refused = new ArrayList<>();
        // Groups, opcodes, members.
        refused.add(command(0x00, 2, 0, ""));
        refused.add(command(0x11, 0xFFFF, 1, "01"));
        refused.add(command(0x12, SR_IOV, 1, ""));
        refused.add(command(0x8000, SELF, 0, ""));
        refused.add(command(0xFFFF, SR_IOV, 1, ""));
        refused.add(resume(0));
        refused.add(resume(5));
        refused.add(command(0x07, SELF, 1, ""));
        // A command to the wrong group.
        refused.add(command(0x08, SR_IOV, 1, Hex.zeros(8)));
        refused.add(command(0x09, SR_IOV, 1, Hex.zeros(8) + "0101"));
        refused.add(toSelf(0x0a, object(3) + Hex.zeros(16)));
        refused.add(toSelf(0x11, "01"));
        // Lists and capabilities.
        refused.add(listUse(SR_IOV, -1));
        refused.add(listUse(SELF, 1L << 0x11));
        refused.add(toSelf(0x08, Hex.le16(1) + Hex.zeros(6)));
        refused.add(toSelf(0x08, Hex.le16(0x1000) + Hex.zeros(6)));
        refused.add(toSelf(0x09, Hex.le16(0x0800) + Hex.zeros(6) + "0101"));
        refused.add(driverCapSet(1, LIMIT));
        refused.add(driverCapSet(0, 0));
        // Objects.
        refused.add(create(1, GET_OBJECT, GET));
        refused.add(create(2, SET_OBJECT, GET));
        refused.add(create(1, LIMIT, GET));
        refused.add(create(1, LIMIT, SET));
        refused.add(create(1, 0x1_0000L, GET));
        refused.add(create(1, 3, 2));
        refused.add(create(1, 3, 255));
        refused.add(toMember(0x0a, 1, Hex.le16(1) + Hex.zeros(2) + Hex.le32(3) + Hex.zeros(16)));
        refused.add(toMember(0x0a, 1, object(3) + Hex.le64(1) + Hex.zeros(8)));
        refused.add(modify(1, 3, GET));
        refused.add(modify(1, GET_OBJECT, 2));
        refused.add(modify(2, GET_OBJECT, SET));
        refused.add(query(1, 3));
        refused.add(destroy(1, 3));
        refused.add(destroy(1, -1));
        refused.add(destroy(2, GET_OBJECT));
        // Parts.
        refused.add(metadata(1, SET_OBJECT, SIZE));
        refused.add(metadata(1, GET_OBJECT, 3));
        refused.add(metadata(1, 3, SIZE));
        refused.add(getAll(1, SET_OBJECT));
        refused.add(getAll(1, 3));
        refused.add(toMember(0x0f, 1, object(GET_OBJECT) + "02" + Hex.zeros(7)));
        refused.add(set(1, GET_OBJECT, ""));
        refused.add(set(1, 3, ""));
        refused.add(set(1, SET_OBJECT, "ff"));
        refused.add(set(1, SET_OBJECT, Part.of(0x3FF, Hex.zeros(8), "00").hex()));
        refused.add(set(1, SET_OBJECT, Part.of(Part.DEVICE_STATUS, Hex.zeros(8), "0f00").hex()));
        refused.add(set(1, SET_OBJECT, Part.of(Part.DEVICE_STATUS, Hex.zeros(8), "20").hex()));
        refused.add(set(1, SET_OBJECT, Part.of(Part.DEVICE_STATUS, Hex.zeros(8), "04").hex()));
        refused.add(set(1, SET_OBJECT, Part.of(Part.DEV_FEATURES, Hex.zeros(8), Hex.zeros(8)).hex()));
        refused.add(set(1, SET_OBJECT, Part.of(Part.DRV_FEATURES, Hex.zeros(8), "ff".repeat(8)).hex()));
        // Too little space for parts, and modes that there are not.
        refused.add(getAll(1, GET_OBJECT));
        refused.add(metadata(1, GET_OBJECT, LIST));
        refused.add(toMember(0x11, 1, "02"));
        refused.add(toMember(0x11, 1, "80"));
        return refused;
    }
}
