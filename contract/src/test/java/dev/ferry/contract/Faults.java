// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** What a vendor's driver may do wrong, each beside the checks that must find it. */
final class Faults {

    /** A fault and all that must find it. */
    record Found(FaultyDriver.Fault fault, List<String> found) {}

    private final Map<String, Found> faults = new LinkedHashMap<>();

    private Faults() {}

    static Map<String, Found> all() {
        Faults all = new Faults();
        new DriverFaults(all).add();
        new SessionFaults(all).add();
        new TrackerFaults(all).add();
        return all.faults;
    }

    /** A fault in the calls of one kind. */
    void add(String name, Predicate<FaultyDriver.Call> when, FaultyDriver.Fault fault, String... found) {
        faults.put(name, new Found(call -> when.test(call) ? fault.answer(call) : call.proceed(), List.of(found)));
    }

    /** A fault in the calls of one method. */
    void add(String name, Class<?> type, String method, FaultyDriver.Fault fault, String... found) {
        add(name, call -> call.is(type, method), fault, found);
    }

    /** Another answer in place of one refusal. */
    static Object withErrno(FaultyDriver.Call call, Errno errno, Object instead) throws Exception {
        try {
            return call.proceed();
        } catch (DeviceException e) {
            if (e.errno() == errno) {
                return instead;
            }
            throw e;
        }
    }
}
