// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.vfio.backend.internal.uapi.Posix.Kcmp;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/**
 * The C library's functions for devices, bound once. Each handle takes, before the function's own arguments, the memory
 * that errno is stored to; a variadic function says where its open arguments begin, since some ABIs pass them
 * elsewhere.
 */
@SuppressWarnings("restricted") // native code is what this class is for
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    /** What errno is stored to. */
    static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();

    /** Where errno lies in {@link #CALL_STATE}. */
    static final long ERRNO_OFFSET = CALL_STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    static final MethodHandle OPEN = variadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    static final MethodHandle CLOSE = bind("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    static final MethodHandle IOCTL_POINTER =
            variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    static final MethodHandle IOCTL_NUMBER =
            variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    static final MethodHandle READ = bind("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    static final MethodHandle WRITE = bind("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    static final MethodHandle PREAD =
            bind("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
    static final MethodHandle PWRITE =
            bind("pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
    static final MethodHandle POLL = bind("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    /** The C library has no function of its own for kcmp. */
    static final MethodHandle SYSCALL_KCMP = variadic(
            "syscall", 1,
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    static final long KCMP_NUMBER =
            System.getProperty("os.arch").equals("amd64") ? Kcmp.NUMBER_X86_64 : Kcmp.NUMBER;

    static MethodHandle bind(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(symbol(name), type, ERRNO);
    }

    private static MethodHandle variadic(String name, int firstOpen, FunctionDescriptor type) {
        return LINKER.downcallHandle(symbol(name), type, ERRNO, Linker.Option.firstVariadicArg(firstOpen));
    }

    private static MemorySegment symbol(String name) {
        return LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new UnsupportedOperationException(
                        "the C library has no function " + name + ": VFIO needs Linux with glibc or musl"));
    }

    /** The errno that a call stored. */
    static int errno(MemorySegment state) {
        return state.get(JAVA_INT, ERRNO_OFFSET);
    }

    /** {@code getpagesize(3)}, in bytes. */
    static int pageSize() {
        return number("getpagesize");
    }

    /** {@code geteuid(2)}, unsigned. */
    static int effectiveUser() {
        return number("geteuid");
    }

    /** What a function gives that cannot fail: a negative number is no error. */
    private static int number(String function) {
        try {
            return (int) LINKER.downcallHandle(symbol(function), FunctionDescriptor.of(JAVA_INT)).invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        }
    }

    private Libc() {}
}
