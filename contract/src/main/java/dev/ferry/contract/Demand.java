// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** The few assertions that checks are made of. */
final class Demand {

    @FunctionalInterface
    interface Call {
        void make() throws Exception;
    }

    static void that(boolean held, String demand, Object... arguments) {
        if (!held) {
            throw new AssertionError(demand.formatted(arguments));
        }
    }

    static void state(MigrationDriver driver, DeviceState expected) throws DeviceException {
        DeviceState state = driver.state();
        that(state == expected, "the device must be in %s, and is in %s", expected, state);
    }

    /** Demands that a call, named for the message, is refused with one of some errnos. */
    static void refused(String what, Call call, Errno... allowed) throws Exception {
        List<Errno> errnos = Arrays.asList(allowed);
        try {
            call.make();
        } catch (DeviceException e) {
            if (!errnos.contains(e.errno())) {
                throw new AssertionError("%s: must be refused with one of %s, and was with %s: %s"
                        .formatted(what, errnos, e.errno(), e.getMessage()), e);
            }
            that(e.getMessage() != null && !e.getMessage().isBlank(), "%s: a refusal needs a message", what);
            return;
        } catch (Exception e) {
            throw new AssertionError("%s: must be refused with a DeviceException of one of %s, and threw %s"
                    .formatted(what, errnos, e), e);
        }
        throw new AssertionError("%s: must be refused with one of %s, and was not".formatted(what, errnos));
    }

    /** Demands that a session has ended. */
    static void dead(SavingSession session) throws Exception {
        refused("a read from a session that is dead", () -> session.read(ByteBuffer.allocate(1)), Errno.ENODEV);
    }

    /** Demands that a session has ended. */
    static void dead(ResumingSession session) throws Exception {
        refused("a write to a session that is dead", () -> session.write(ByteBuffer.allocate(1)), Errno.ENODEV);
    }

    private Demand() {}
}
