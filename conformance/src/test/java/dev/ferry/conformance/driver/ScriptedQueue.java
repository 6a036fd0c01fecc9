// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import dev.ferry.conformance.harness.Hex;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionReset;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The admin queue of a {@link StrictOwner}, which records every byte that the driver sends, answers on a thread of its
 * own in queue order, and misbehaves on demand.
 */
class ScriptedQueue implements AdminQueue, FunctionReset, AutoCloseable {

    /**
     * An answer that the device would not have given.
     *
     * @param bytes that are written, as hex digits
     * @param used the used length
     */
    record Reply(String bytes, int used) {

        /** The device never says that it has done the command. */
        static final Reply NEVER = new Reply("", -1);

        /** All of these bytes. */
        static Reply of(String hex) {
            return new Reply(Hex.plain(hex), Hex.plain(hex).length() / 2);
        }
    }

    /** Answers a command in place of the device, or not. */
    @FunctionalInterface
    interface Script {
        Optional<Reply> reply(byte[] readable);
    }

    /** The device behind; used on the queue's thread only. */
    final StrictOwner device;

    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "scripted queue"));
    private final List<Exchange> log = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger pending = new AtomicInteger();
    private volatile Script script = readable -> Optional.empty();

    ScriptedQueue(StrictOwner device) {
        this.device = device;
    }

    /** Of so many members with the usual parts, and as many objects as there can be. */
    static ScriptedQueue typical(int members) {
        return typical(members, 255, 255);
    }

    /** The same with so many objects that read and that write. */
    static ScriptedQueue typical(int members, int getLimit, int setLimit) {
        ScriptedQueue queue = new ScriptedQueue(new StrictOwner(members, getLimit, setLimit));
        for (int member = 1; member <= members; member++) {
            queue.device.parts(member, TypicalParts.hex());
        }
        return queue;
    }

    /** Misbehaves from now on. */
    void script(Script misbehaviour) {
        script = misbehaviour;
    }

    @Override
    public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        byte[] command = gather(readable);
        int before = pending.getAndIncrement();
        return CompletableFuture.supplyAsync(() -> execute(command, before, writable), thread)
                .thenCompose(used -> used < 0 ? new CompletableFuture<>() : CompletableFuture.completedFuture(used))
                .whenComplete((used, failure) -> pending.decrementAndGet());
    }

    private int execute(byte[] command, int before, ByteBuffer[] writable) {
        int space = 0;
        for (ByteBuffer buffer : writable) {
            space += buffer.remaining();
        }
        Reply reply = script.reply(command).orElse(null);
        if (reply == null) {
            reply = Reply.of(device.answer(command, space));
        }
        byte[] bytes = Hex.bytes(reply.bytes());
        int status = bytes.length < 2 ? 0 : (int) Hex.number(bytes, 0, 2);
        log.add(new Exchange(command, space, before, status));
        scatter(bytes, writable);
        return Math.min(reply.used(), space);
    }

    private static byte[] gather(ByteBuffer[] buffers) {
        int bytes = 0;
        for (ByteBuffer buffer : buffers) {
            bytes += buffer.remaining();
        }
        ByteBuffer all = ByteBuffer.allocate(bytes);
        for (ByteBuffer buffer : buffers) {
            all.put(buffer.duplicate());
        }
        return all.array();
    }

    private static void scatter(byte[] bytes, ByteBuffer[] buffers) {
        int at = 0;
        for (ByteBuffer buffer : buffers) {
            int length = Math.min(buffer.remaining(), bytes.length - at);
            buffer.duplicate().put(bytes, at, length);
            at += length;
        }
    }

    @Override
    public void resetFunction(long groupMemberId) {
        // The device has no functions behind its members.
    }

    /** Every command so far, in queue order. */
    List<Exchange> log() {
        return List.copyOf(log);
    }

    /** The commands so far with an opcode. */
    List<Exchange> log(int opcode) {
        return log().stream().filter(exchange -> exchange.opcode() == opcode).toList();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
