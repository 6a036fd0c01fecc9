// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.device.Region;

/**
 * What a guest would have in its device: writes a value into registers, or looks whether it is there, so that others
 * can migrate in between. Arguments: {@code auto}, {@code group} or {@code cdev}; {@code set} or {@code expect}; a
 * value from 1 to 255; then pairs of {@code mtty} or {@code steered} and a device.
 */
public final class DeviceContent {
    private static final int MTTY_SCRATCH = 7;
    private static final int BYTE = 0xFF;

    private DeviceContent() {}

    /** Does it to each device; an exit status of 1 when one holds something else. */
    public static void main(String[] arguments) throws Exception {
        HostDevices devices = new HostDevices(arguments[0]);
        boolean set = arguments[1].equals("set");
        int value = Integer.parseInt(arguments[2]);
        boolean held = true;
        for (int i = 3; i + 1 < arguments.length; i += 2) {
            try (Driven driven = devices.openAsItIs(arguments[i + 1])) {
                if (set) {
                    set(arguments[i], driven, value);
                }
                int found = get(arguments[i], driven);
                System.out.println(arguments[i + 1] + " holds " + found + ", opened by " + driven.open().way());
                held &= found == value;
            }
        }
        System.exit(held ? 0 : 1);
    }

    private static void set(String kind, Driven driven, int value) throws Exception {
        if (kind.equals("mtty")) {
            scratch(driven).write(MTTY_SCRATCH, new byte[] {(byte) value});
        } else {
            new SteeredDevice(driven.open().device()).set(SteeredDevice.SCRATCH, value);
        }
    }

    private static int get(String kind, Driven driven) throws Exception {
        return kind.equals("mtty")
                ? scratch(driven).read(MTTY_SCRATCH, 1)[0] & BYTE
                : (int) new SteeredDevice(driven.open().device()).get(SteeredDevice.SCRATCH);
    }

    private static Region scratch(Driven driven) throws Exception {
        return driven.open().device().region(0);
    }
}
