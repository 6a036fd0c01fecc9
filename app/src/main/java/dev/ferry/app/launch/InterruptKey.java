// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.launch;

import java.lang.reflect.Proxy;
import java.util.function.BooleanSupplier;

/**
 * Ctrl-C, which Java offers through {@code sun.misc.Signal} of the module {@code jdk.unsupported} alone; used by name,
 * as its use is a compiler warning that cannot be switched off.
 */
final class InterruptKey {

    private static final String SIGNAL = "INT";
    /** What a shell adds to the number of the signal, 2, that ended a process. */
    private static final int ENDED_BY_SIGNAL = 128 + 2;

    private InterruptKey() {}

    /**
     * From now on Ctrl-C asks this first, on a thread of its own, and ends the process when the answer is no. Where
     * that cannot be, it ends the process as it always does.
     */
    static void offer(BooleanSupplier taken, boolean debug) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object asking = Proxy.newProxyInstance(
                    InterruptKey.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getDeclaringClass() == Object.class) {
                            return method.invoke(taken, arguments);
                        }
                        if (!taken.getAsBoolean()) {
                            System.exit(ENDED_BY_SIGNAL);
                        }
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(SIGNAL), asking);
        } catch (ReflectiveOperationException e) {
            // A Java without the module, or one that was told to leave signals alone (-Xrs).
            if (debug) {
                System.err.println("ferry: Ctrl-C ends the shell, not the command: " + e);
            }
        }
    }
}
