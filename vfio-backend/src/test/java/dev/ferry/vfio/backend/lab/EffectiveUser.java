// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.function.Supplier;

/** The user that the kernel takes this program, which root has started, for. */
@SuppressWarnings("restricted")
final class EffectiveUser {
    private static final int ROOT = 0;
    private static final MethodHandle SETEUID = Linker.nativeLinker().downcallHandle(
            Linker.nativeLinker().defaultLookup().find("seteuid").orElseThrow(),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    /** Does something as another user. */
    static <T> T call(int user, Supplier<T> action) {
        set(user);
        try {
            return action.get();
        } finally {
            set(ROOT);
        }
    }

    private static void set(int user) {
        int result;
        try {
            result = (int) SETEUID.invokeExact(user);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        demand(result == 0, "seteuid(%d) gives %d", user, result);
    }

    private EffectiveUser() {}
}
