// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.FunctionAccess;
import dev.ferry.virtio.FunctionReset;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;

/**
 * An emulated owner device with one admin queue, and its members.
 *
 * <p>A command executes on the thread that submits it and is complete on return, one at a time, in the order in which
 * the callers get the lock. Thread-safe. Whoever creates the device closes it; then it behaves like one that was pulled
 * out.
 */
public final class OwnerDevice implements AdminQueue, FunctionReset, FunctionAccess, EmulatedAdapter, AutoCloseable {

    private final AdapterSettings settings;
    private final MemberGroup members;

    private final Object lock = new Object();
    /** Guarded by the lock. */
    private final DevPartsObjects objects = new DevPartsObjects();
    /** Guarded by the lock. */
    private final CommandTable commands;
    /** Written under the lock. */
    private volatile boolean closed;

    /**
     * A device in the state after reset, with as many members as the settings say.
     *
     * @param factory makes the member of an id, 1 and up
     */
    public OwnerDevice(AdapterSettings settings, IntFunction<Member> factory) {
        this.settings = settings;
        this.members = new MemberGroup(factory);
        int limit = settings.objectLimit();
        this.commands = new CommandTable(
                members, objects, new DevPartsCapability(limit, limit), settings.strict(), settings.legacy());
        members.resize(settings.members());
    }

    @Override
    public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        synchronized (lock) {
            if (closed) {
                return CompletableFuture.failedFuture(gone());
            }
            AdminExchange exchange = new AdminExchange(readable, writable);
            return CompletableFuture.completedFuture(exchange.complete(commands.execute(exchange)));
        }
    }

    @Override
    public void resetFunction(long groupMemberId) throws DeviceException {
        member(groupMemberId).device().resetFunction();
    }

    @Override
    public long readConfig(long groupMemberId, int offset, int size) throws DeviceException {
        return member(groupMemberId).function().readConfig(offset, size);
    }

    @Override
    public void writeConfig(long groupMemberId, int offset, int size, long value) throws DeviceException {
        member(groupMemberId).function().writeConfig(offset, size, value);
    }

    @Override
    public long barSize(long groupMemberId, int bar) throws DeviceException {
        return member(groupMemberId).function().barSize(bar);
    }

    @Override
    public void writeBar(long groupMemberId, int bar, long offset, int size, long value) throws DeviceException {
        member(groupMemberId).function().writeBar(bar, offset, size, value);
    }

    private Member member(long id) throws DeviceException {
        synchronized (lock) {
            if (closed) {
                throw gone();
            }
            if (!members.contains(id)) {
                throw new DeviceException(
                        Errno.ENODEV,
                        "the owner device %s has no member %d, only 1 to %d"
                                .formatted(ownerId(), id, members.count()));
            }
            return members.get(id);
        }
    }

    /**
     * Adds members at the end, or removes the last ones with their resource objects; the others go on undisturbed.
     *
     * @param count the new number of members
     */
    public void resize(int count) {
        synchronized (lock) {
            if (!closed) {
                objects.destroyAbove(count);
                members.resize(count);
            }
        }
    }

    /** Removes all members and resource objects; every later command fails with ENODEV. */
    @Override
    public void close() {
        synchronized (lock) {
            resize(0);
            closed = true;
        }
    }

    @Override
    public String ownerId() {
        return settings.ownerId();
    }

    @Override
    public String host() {
        return settings.host();
    }

    @Override
    public int members() {
        return members.count();
    }

    @Override
    public PciFunction function(int member) {
        return members.get(member).function();
    }

    @Override
    public NetworkPort port(int member) {
        return members.get(member).port();
    }

    @Override
    public int resourceObjects() {
        synchronized (lock) {
            return objects.count();
        }
    }

    private DeviceException gone() {
        return new DeviceException(
                Errno.ENODEV, "the owner device %s is gone: its adapter was deleted or changed".formatted(ownerId()));
    }
}
