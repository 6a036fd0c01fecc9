// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.SET;
import static dev.ferry.conformance.harness.Commands.create;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;

/** VF 1 of an adapter, which has been driven, is stopped, and has an object of each kind. */
final class DrivenVf {

    /** The object that reads. */
    static final int READER = 0;
    /** The object that writes. */
    static final int WRITER = 1;

    private DrivenVf() {}

    /** A new adapter with it, and one VF more. */
    static Adapter of(Emulator emulator) {
        Adapter adapter = emulator.adapter(2).ready();
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.control(0, 1, (byte) 1);
        driver.control(2, 0, (byte) 7, (byte) 0);
        driver.control(2, 0, (byte) 0xFE, (byte) 0x0F);
        driver.control(1, 0, Hex.bytes("01000000 02aabbccddee 02000000 01005e000001 01005e000002"));
        adapter.admin().accept(create(1, READER, GET));
        adapter.admin().accept(create(1, WRITER, SET));
        adapter.stop(1);
        return adapter;
    }

    /** All its parts, as hex digits. */
    static String image(Adapter adapter) {
        return Part.hex(adapter.parts(1, READER));
    }
}
