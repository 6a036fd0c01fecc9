// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/** Faults in what a driver answers, in its arcs and its resets. */
final class DriverFaults {
    private final Faults faults;

    DriverFaults(Faults faults) {
        this.faults = faults;
    }

    void add() {
        driver();
        arcs();
        resets();
    }

    private void driver() {
        faults.add("features that change", MigrationDriver.class, "features",
                call -> call.driver().state() == DeviceState.STOP_COPY ? EnumSet.noneOf(MigrationFeature.class)
                        : call.proceed(), "a device begins in RUNNING and offers STOP_COPY");
        for (DeviceState state : states()) {
            faults.add("a negative size in " + state, MigrationDriver.class, "stopCopySize",
                    call -> call.driver().state() == state ? -1L : call.proceed(),
                    "the size in STOP_COPY is told in any state, and is not negative");
        }
        faults.add("a profile that resets", MigrationDriver.class, "profile", call -> {
            call.driver().reset();
            return Optional.empty();
        }, "asking for a profile changes nothing");
        faults.add("a ticket that is never granted", SessionTicket.class, "await", call -> false,
                "a session that was asked for ahead is opened");
    }

    private void arcs() {
        for (Arc arc : arcsOfAllFeatures()) {
            faults.add(arc + " not taken", call -> call.is(arc), call -> Optional.empty(),
                    arc + " leads to " + arc.to());
            if (arc.sessionEffect() == Arc.SessionEffect.OPENS_SAVING
                    || arc.sessionEffect() == Arc.SessionEffect.OPENS_RESUMING) {
                faults.add(arc + " without a session", call -> call.is(arc), call -> {
                    call.proceed();
                    return Optional.empty();
                }, arc + " leads to " + arc.to());
            }
        }
        String[] elsewhere = states().stream()
                .map(state -> "in " + state + " an arc that begins elsewhere, or does not exist, is refused and changes"
                        + " nothing")
                .toArray(String[]::new);
        faults.add("arcs from elsewhere accepted", MigrationDriver.class, "step",
                call -> ((Arc) call.arguments()[0]).from() == call.driver().state() ? call.proceed() : Optional.empty(),
                elsewhere);
        faults.add("refusals that change the state", MigrationDriver.class, "step", call -> {
            try {
                return call.proceed();
            } catch (DeviceException e) {
                call.driver().reset();
                call.driver().step(Arc.RUNNING_TO_PRE_COPY);
                throw e;
            }
        }, Arrays.stream(elsewhere).filter(name -> !name.startsWith("in PRE_COPY an")).toArray(String[]::new));
        faults.add("refusals of another kind", MigrationDriver.class, "step", call -> {
            try {
                return call.proceed();
            } catch (DeviceException e) {
                throw new IllegalStateException("not as agreed", e);
            }
        }, "no state at all is refused", "an incomplete state is refused, and a reset leads out");
    }

    private void resets() {
        faults.add("a reset that does nothing", MigrationDriver.class, "reset", call -> null, states().stream()
                .filter(state -> state != DeviceState.RUNNING)
                .map(DriverFaults::resetIn)
                .toArray(String[]::new));
        faults.add("a reset that leaves the device quiesced", MigrationDriver.class, "reset", call -> {
            call.proceed();
            return call.driver().step(Arc.RUNNING_TO_RUNNING_P2P);
        }, resetIn(DeviceState.RUNNING));
        faults.add("saving sessions that outlive their state", SavingSession.class, "read",
                call -> Faults.withErrno(call, Errno.ENODEV, 0),
                "a session that ended is dead", "PRE_COPY can be given up at any time",
                resetIn(DeviceState.STOP_COPY), resetIn(DeviceState.PRE_COPY), resetIn(DeviceState.PRE_COPY_P2P));
        faults.add("resuming sessions that outlive their state", ResumingSession.class, "write",
                call -> Faults.withErrno(call, Errno.ENODEV, 1),
                "a loaded session is dead behind RESUMING", resetIn(DeviceState.RESUMING));
    }

    private static String resetIn(DeviceState state) {
        return "a reset in " + state + " leads to RUNNING, and the device can be used";
    }

    private static List<DeviceState> states() {
        return Arrays.stream(DeviceState.values())
                .filter(state -> state != DeviceState.ERROR)
                .toList();
    }

    private static List<Arc> arcsOfAllFeatures() {
        return Arrays.stream(Arc.values())
                .filter(arc -> !MemoryDriver.WITHOUT_P2P.contains(arc))
                .toList();
    }
}
