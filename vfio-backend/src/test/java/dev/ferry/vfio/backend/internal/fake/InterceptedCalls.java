// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.BiFunction;

/** System calls with a test's hand in them. */
public final class InterceptedCalls {

    private InterceptedCalls() {}

    /** What is given a call's name and arguments answers in the kernel's place, or gives null and the kernel does. */
    public static SystemCalls of(SystemCalls kernel, BiFunction<String, Object[], Object> instead) {
        return (SystemCalls) Proxy.newProxyInstance(
                SystemCalls.class.getClassLoader(), new Class<?>[] {SystemCalls.class}, (proxy, method, arguments) -> {
                    Object answer = instead.apply(method.getName(), arguments);
                    try {
                        return answer == null ? method.invoke(kernel, arguments) : answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
