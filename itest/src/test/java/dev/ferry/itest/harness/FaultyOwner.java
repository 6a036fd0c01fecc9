// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionAccess;
import dev.ferry.virtio.FunctionDirtyTracking;
import dev.ferry.virtio.FunctionReset;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/**
 * An owner device there is already, once more under another name; its driver there reaches the device by a queue whose
 * commands go wrong when they are told to. All else that the service of the owner can do stays as it is.
 */
public final class FaultyOwner implements AutoCloseable {
    private static final Class<?>[] ABILITIES = {
        AdminQueue.class, FunctionReset.class, FunctionAccess.class, FunctionDirtyTracking.class
    };

    /** Status EINVAL, qualifier INVALID_COMMAND. */
    private static final byte[] REFUSAL = HexFormat.of().parseHex("1600010000000000");

    private final AdminQueue queue;
    private final String host;
    private final Faults faults;
    private final ServiceRegistration<?> registration;

    /** How a command goes wrong; the device either executes it all the same or never sees it. */
    public enum Fault {
        /** The device refuses it. */
        REFUSED,
        /** The way to the device fails. */
        NOT_SENT,
        /** The device executes it, and the way back fails. */
        NOT_TOLD,
        /** The device executes it, and the answer comes back with not a byte of it. */
        SHORT
    }

    /** Which command goes wrong and how, of all that are sent by the queues that share this. Thread-safe. */
    public static final class Faults {
        private static final int NONE = -1;

        private final List<String> sent = new ArrayList<>();
        private int at = NONE;
        private Fault fault;

        /** The command behind so many others goes wrong; they are counted from now on. */
        public synchronized void arm(Fault how, int number) {
            fault = how;
            at = number;
            sent.clear();
        }

        /** None goes wrong; they are counted from now on. */
        public synchronized void watch() {
            at = NONE;
            sent.clear();
        }

        /** How many were sent by now. */
        public synchronized int count() {
            return sent.size();
        }

        /** No command goes wrong any more; answers those that were sent: to whom, and their opcodes. */
        public synchronized List<String> disarm() {
            at = NONE;
            return List.copyOf(sent);
        }

        private synchronized Optional<Fault> next(String command) {
            sent.add(command);
            return sent.size() - 1 == at ? Optional.of(fault) : Optional.empty();
        }
    }

    /**
     * Registers it.
     *
     * @param real the owner device, as {@code host1/pf0}
     * @param host where it is, too
     */
    public FaultyOwner(BundleContext context, String real, String host, Faults faults) throws Exception {
        this.queue = Await.service(context, AdminQueue.class, "(" + AdminQueue.OWNER_ID + "=" + real + ")");
        this.host = host;
        this.faults = faults;
        Object service = Proxy.newProxyInstance(
                AdminQueue.class.getClassLoader(), ABILITIES, (proxy, method, arguments) -> call(method, arguments));
        this.registration = context.registerService(
                AdminQueue.class.getName(),
                service,
                new Hashtable<>(Map.of(
                        AdminQueue.OWNER_ID, host + real.substring(real.indexOf('/')),
                        AdminQueue.HOST, host,
                        AdminQueue.MEMBERS, 1,
                        AdminQueue.MEMBER_TYPE, "virtio-net")));
    }

    private Object call(Method method, Object[] arguments) throws Throwable {
        if (method.getName().equals("submit")) {
            return submit((ByteBuffer[]) arguments[0], (ByteBuffer[]) arguments[1]);
        }
        try {
            return method.invoke(queue, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        int opcode = readable[0].slice().order(ByteOrder.LITTLE_ENDIAN).getShort(0);
        Optional<Fault> fault = faults.next("%s 0x%02x".formatted(host, opcode));
        return fault.isEmpty() ? queue.submit(readable, writable) : goWrong(fault.get(), readable, writable);
    }

    private CompletionStage<Integer> goWrong(Fault fault, ByteBuffer[] readable, ByteBuffer[] writable) {
        return switch (fault) {
            case REFUSED -> CompletableFuture.completedFuture(put(REFUSAL, writable));
            case NOT_SENT -> broken();
            case NOT_TOLD -> queue.submit(readable, writable).thenCompose(used -> broken());
            case SHORT -> queue.submit(readable, writable).thenApply(used -> 0);
        };
    }

    private static CompletionStage<Integer> broken() {
        return CompletableFuture.failedFuture(new DeviceException(Errno.EIO, "the queue is told to break"));
    }

    private static int put(byte[] answer, ByteBuffer[] writable) {
        int done = 0;
        for (ByteBuffer buffer : writable) {
            int length = Math.min(buffer.remaining(), answer.length - done);
            buffer.put(buffer.position(), answer, done, length);
            done += length;
        }
        return done;
    }

    @Override
    public void close() {
        registration.unregister();
    }
}
