// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A driver with a fault, and with it all that the driver gave. */
final class FaultyDriver {

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

    /** What a driver answers, where a fault stands before it and before its sessions, tickets and trackers. */
    static MigrationDriver of(MigrationDriver driver, Fault fault) {
        return proxy(MigrationDriver.class, driver, driver, fault);
    }

    private static <T> T proxy(Class<T> type, T target, MigrationDriver driver, Fault fault) {
        return type.cast(Proxy.newProxyInstance(
                FaultyDriver.class.getClassLoader(),
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

    private FaultyDriver() {}
}
