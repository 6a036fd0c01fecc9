// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** What a vendor's driver may do wrong, each beside the checks that must find it. */
final class ContractFaults {

    /** A call of a driver, or of what it gave; a fault may do something else instead. */
    record Call(MigrationDriver driver, Object target, Method method, Object[] arguments) {
        Object proceed() throws Exception {
            try {
                return method.invoke(target, arguments);
            } catch (InvocationTargetException e) {
                throw (Exception) e.getCause();
            }
        }

        boolean is(Class<?> type, String name) {
            return type.isInstance(target) && method.getName().equals(name);
        }

        boolean is(Arc arc) {
            return is(MigrationDriver.class, "step") && arguments[0] == arc;
        }

        ByteBuffer buffer() {
            return (ByteBuffer) arguments[0];
        }
    }

    /** One thing that is done wrong. */
    @FunctionalInterface
    interface Fault {
        Object answer(Call call) throws Exception;
    }

    /** A fault and all that must find it. */
    record Found(Fault fault, List<String> found) {}

    private final Map<String, Found> faults = new LinkedHashMap<>();

    private ContractFaults() {}

    static Map<String, Found> all() {
        ContractFaults all = new ContractFaults();
        all.driver();
        all.arcs();
        all.resets();
        all.saving();
        all.resuming();
        all.tracking();
        return all.faults;
    }

    /** What a driver answers, where a fault stands before it and before its sessions, tickets and trackers. */
    static MigrationDriver faulty(MigrationDriver driver, Fault fault) {
        return proxy(MigrationDriver.class, driver, driver, fault);
    }

    private static <T> T proxy(Class<T> type, T target, MigrationDriver driver, Fault fault) {
        return type.cast(Proxy.newProxyInstance(
                ContractFaults.class.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) ->
                        wrapped(fault.answer(new Call(driver, target, method, arguments)), driver, fault)));
    }

    private static Object wrapped(Object answer, MigrationDriver driver, Fault fault) {
        if (answer instanceof Optional<?> optional) {
            return optional.map(value -> wrapped(value, driver, fault));
        }
        if (answer instanceof SavingSession session) {
            return proxy(SavingSession.class, session, driver, fault);
        }
        if (answer instanceof ResumingSession session) {
            return proxy(ResumingSession.class, session, driver, fault);
        }
        if (answer instanceof DirtyTracker tracker) {
            return proxy(DirtyTracker.class, tracker, driver, fault);
        }
        return answer instanceof SessionTicket ticket ? proxy(SessionTicket.class, ticket, driver, fault) : answer;
    }

    /** A fault in the calls of one kind. */
    private void add(String name, Predicate<Call> when, Fault fault, String... found) {
        faults.put(name, new Found(call -> when.test(call) ? fault.answer(call) : call.proceed(), List.of(found)));
    }

    private void add(String name, Class<?> type, String method, Fault fault, String... found) {
        add(name, call -> call.is(type, method), fault, found);
    }

    private void driver() {
        add("features that change", MigrationDriver.class, "features",
                call -> call.driver().state() == DeviceState.STOP_COPY ? EnumSet.noneOf(MigrationFeature.class)
                        : call.proceed(), "a device begins in RUNNING and offers STOP_COPY");
        for (DeviceState state : states()) {
            add("a negative size in " + state, MigrationDriver.class, "stopCopySize",
                    call -> call.driver().state() == state ? -1L : call.proceed(),
                    "the size in STOP_COPY is told in any state, and is not negative");
        }
        add("a profile that resets", MigrationDriver.class, "profile", call -> {
            call.driver().reset();
            return Optional.empty();
        }, "asking for a profile changes nothing");
        add("a ticket that is never granted", SessionTicket.class, "await", call -> false,
                "a session that was asked for ahead is opened");
    }

    private void arcs() {
        for (Arc arc : arcsOfAllFeatures()) {
            add(arc + " not taken", call -> call.is(arc), call -> Optional.empty(), arc + " leads to " + arc.to());
            if (arc.sessionEffect() == Arc.SessionEffect.OPENS_SAVING
                    || arc.sessionEffect() == Arc.SessionEffect.OPENS_RESUMING) {
                add(arc + " without a session", call -> call.is(arc), call -> {
                    call.proceed();
                    return Optional.empty();
                }, arc + " leads to " + arc.to());
            }
        }
        String[] elsewhere = states().stream()
                .map(state -> "in " + state + " an arc that begins elsewhere, or does not exist, is refused and changes nothing")
                .toArray(String[]::new);
        add("arcs from elsewhere accepted", MigrationDriver.class, "step",
                call -> ((Arc) call.arguments()[0]).from() == call.driver().state() ? call.proceed() : Optional.empty(),
                elsewhere);
        add("refusals that change the state", MigrationDriver.class, "step", call -> {
            try {
                return call.proceed();
            } catch (DeviceException e) {
                call.driver().reset();
                call.driver().step(Arc.RUNNING_TO_PRE_COPY);
                throw e;
            }
        }, Arrays.stream(elsewhere).filter(name -> !name.startsWith("in PRE_COPY an")).toArray(String[]::new));
        add("refusals of another kind", MigrationDriver.class, "step", call -> {
            try {
                return call.proceed();
            } catch (DeviceException e) {
                throw new IllegalStateException("not as agreed", e);
            }
        }, "no state at all is refused", "an incomplete state is refused, and a reset leads out");
    }

    private void resets() {
        add("a reset that does nothing", MigrationDriver.class, "reset", call -> null, states().stream()
                .filter(state -> state != DeviceState.RUNNING)
                .map(ContractFaults::resetIn)
                .toArray(String[]::new));
        add("a reset that leaves the device quiesced", MigrationDriver.class, "reset", call -> {
            call.proceed();
            return call.driver().step(Arc.RUNNING_TO_RUNNING_P2P);
        }, resetIn(DeviceState.RUNNING));
        add("saving sessions that outlive their state", SavingSession.class, "read",
                call -> withErrno(call, Errno.ENODEV, 0),
                "a session that ended is dead", "PRE_COPY can be given up at any time",
                resetIn(DeviceState.STOP_COPY), resetIn(DeviceState.PRE_COPY), resetIn(DeviceState.PRE_COPY_P2P));
        add("resuming sessions that outlive their state", ResumingSession.class, "write",
                call -> withErrno(call, Errno.ENODEV, 1),
                "a loaded session is dead behind RESUMING", resetIn(DeviceState.RESUMING));
    }

    private static String resetIn(DeviceState state) {
        return "a reset in " + state + " leads to RUNNING, and the device can be used";
    }

    /** Another answer in place of one refusal. */
    private static Object withErrno(Call call, Errno errno, Object instead) throws Exception {
        try {
            return call.proceed();
        } catch (DeviceException e) {
            if (e.errno() == errno) {
                return instead;
            }
            throw e;
        }
    }

    private void saving() {
        add("an end that does not stay", SavingSession.class, "read", call -> {
            Object count = call.proceed();
            return count.equals(-1) ? 0 : count;
        }, "in STOP_COPY the stream ends, and stays at its end");
        add("a buffer filled from its beginning", SavingSession.class, "read", call -> {
            ByteBuffer into = call.buffer();
            ByteBuffer wrong = into.duplicate().position(0);
            int count = (int) call.method().invoke(call.target(), wrong);
            into.position(into.position() + Math.max(count, 0));
            return count;
        }, "a read fills a buffer between its position and its limit alone");
        add("a buffer filled beyond its limit", SavingSession.class, "read", call -> {
            ByteBuffer into = call.buffer();
            int limit = into.limit();
            int count = (int) call.method().invoke(call.target(), into.limit(into.capacity()));
            into.limit(limit).position(Math.min(limit, into.position()));
            return count;
        }, "a read fills a buffer between its position and its limit alone");
        add("a close that resets", call -> call.is(DataTransferSession.class, "close"), call -> {
            call.proceed();
            call.driver().reset();
            return null;
        }, "closing a session changes nothing at the device",
                "closing a session that was given a whole state changes nothing at the device");
        add("a close that does not close", call -> call.is(DataTransferSession.class, "close"), call -> null,
                "closing a session changes nothing at the device");
        List<MigrationDriver> opened = new ArrayList<>();
        add("one session only", call -> call.is(Arc.STOP_TO_STOP_COPY), call -> {
            if (opened.contains(call.driver())) {
                throw new DeviceException(Errno.ENOSPC, "there was a session already");
            }
            opened.add(call.driver());
            return call.proceed();
        }, "sessions follow one another");
        add("an end in PRE_COPY", SavingSession.class, "read", call -> {
            Object count = call.proceed();
            return count.equals(0) && call.driver().state() == DeviceState.PRE_COPY ? -1 : count;
        }, "in PRE_COPY there is data, then nothing for now, and information on what there is");
        add("a session that does not go on", SavingSession.class, "read", call -> {
            if (call.driver().state() == DeviceState.STOP_COPY) {
                throw new DeviceException(Errno.ENODEV, "the session is over");
            }
            return call.proceed();
        }, "a session goes on from PRE_COPY to its end in STOP_COPY", "a state that was read from PRE_COPY on is loaded");
    }

    private void resuming() {
        for (int piece : new int[] {1, 7, 64 << 10}) {
            add("bytes lost in pieces of " + piece, ResumingSession.class, "write", call -> {
                ByteBuffer from = call.buffer();
                int count = from.remaining();
                // A state is smaller than the largest piece.
                if (count == piece || piece > 7 && count > 7) {
                    from.position(from.limit());
                    return count;
                }
                return call.proceed();
            }, "a saved state is read and loaded in pieces of " + piece + " bytes");
        }
        add("a write that takes less", ResumingSession.class, "write", call -> {
            ByteBuffer from = call.buffer();
            return from.remaining() > 1
                    ? call.method().invoke(call.target(), from.limit(from.limit() - 1)) : call.proceed();
        }, "a saved state is read and loaded in pieces of 7 bytes");
        add("what is incomplete accepted", call -> call.is(Arc.RESUMING_TO_STOP), call -> {
            try {
                return call.proceed();
            } catch (DeviceException e) {
                return Optional.empty();
            }
        }, "an incomplete state is refused, and a reset leads out", "no state at all is refused");
    }

    private void tracking() {
        add("a report that moves the position", DirtyTracker.class, "reportAndClear", call -> {
            ByteBuffer bitmap = (ByteBuffer) call.arguments()[1];
            call.proceed();
            bitmap.position(bitmap.limit());
            return null;
        }, "a dirty tracker records, reports and stops",
                "a dirty tracker reports at the position of the bitmap alone");
        add("a report that clears bits", DirtyTracker.class, "reportAndClear", call -> {
            ByteBuffer bitmap = (ByteBuffer) call.arguments()[1];
            for (int i = bitmap.position(); i < bitmap.limit(); i++) {
                bitmap.put(i, (byte) 0);
            }
            return call.proceed();
        }, "a dirty tracker keeps bits that were set");
        add("a report at the beginning of the bitmap", DirtyTracker.class, "reportAndClear", call -> {
            ((ByteBuffer) call.arguments()[1]).put(0, (byte) 1);
            return call.proceed();
        }, "a dirty tracker reports at the position of the bitmap alone");
        add("a second start accepted", DirtyTracker.class, "start", call -> withErrno(call, Errno.EBUSY, null),
                "a dirty tracker refuses what does not fit its state");
        add("a report without a start accepted", DirtyTracker.class, "reportAndClear",
                call -> withErrno(call, Errno.EINVAL, null), "a dirty tracker refuses what does not fit its state");
        add("a stop that does not stop", DirtyTracker.class, "stop", call -> null,
                "a dirty tracker that was stopped, or refused, can begin again");
    }

    private static List<DeviceState> states() {
        return Arrays.stream(DeviceState.values())
                .filter(state -> state != DeviceState.ERROR)
                .toList();
    }

    private static List<Arc> arcsOfAllFeatures() {
        return Arrays.stream(Arc.values())
                .filter(arc -> arc != Arc.STOP_TO_RUNNING && arc != Arc.RUNNING_TO_STOP && arc != Arc.PRE_COPY_TO_STOP_COPY)
                .toList();
    }
}
