// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.internal.member.MemberDevice;
import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.emulator.internal.net.VirtioNetFunction;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.FunctionAccess;
import dev.ferry.virtio.FunctionDirtyTracking;
import dev.ferry.virtio.FunctionReset;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;

/**
 * An emulated owner device and its members: a PCI function with an administration virtqueue, and beside it an admin
 * queue as a service. Both ways lead to the same device.
 *
 * <p>A command executes on the thread that submits it or notifies the virtqueue, and is complete on return, one at a
 * time, in the order in which the callers get the lock. A device that takes its time executes those that are submitted
 * later, on the thread of its timer. Locks are taken in the order function of the owner device, owner
 * device, member. Thread-safe. Whoever creates the device closes it; then it behaves like one that was pulled out.
 */
public final class OwnerDevice
        implements AdminQueue, FunctionReset, FunctionAccess, FunctionDirtyTracking, EmulatedAdapter, AutoCloseable {

    private static final String TIMER_PREFIX = "ferry-emulator-";

    private final AdapterSettings settings;
    private final MemberGroup members;
    private final VirtioNetFunction device;
    private final OwnerFunction function;

    private final Object lock = new Object();
    /** Guarded by the lock. */
    private final DevPartsObjects objects = new DevPartsObjects();
    /** Guarded by the lock. */
    private final CommandTable commands;
    private final CommandPace pace;
    private final Optional<TimedQueue.Timer> timer;
    /** Empty when no command takes time. */
    private final Optional<TimedQueues> queues;
    /** Written under the lock. */
    private volatile boolean closed;

    private final AtomicInteger announced = new AtomicInteger();
    private volatile Runnable membersListener = () -> {};

    /**
     * A device in the state after reset, with as many members enabled as the settings say.
     *
     * @param factory makes the member of an id, 1 and up
     */
    public OwnerDevice(AdapterSettings settings, IntFunction<Member> factory) {
        this(
                settings,
                factory,
                settings.latency().isNone()
                        ? Optional.empty()
                        : Optional.of(new DeviceTimer(TIMER_PREFIX + settings.ownerId())));
    }

    /** The same with a timer of the caller's; without one no command takes time. */
    OwnerDevice(
            AdapterSettings settings, IntFunction<Member> factory, Optional<TimedQueue.Timer> timer) {
        this.settings = settings;
        this.members = new MemberGroup(factory);
        int limit = settings.objectLimit();
        this.commands = new CommandTable(
                members,
                objects,
                new DevPartsCapability(limit, limit),
                settings.strict(),
                settings.commands(),
                settings.offersLegacy(),
                settings.dirtyTracking());
        this.pace = new CommandPace(settings.latency(), members);
        this.timer = timer;
        this.queues = timer.map(present ->
                new TimedQueues(settings.adminQueues(), present, pace::nanos, this::executeLater));
        this.device = new VirtioNetFunction(VirtioNetMembers.owner(settings), new Side());
        this.function = new OwnerFunction(device, this::announceMembers);
        resize(settings.members());
    }

    /** What the function brings, with its lock held. */
    private final class Side implements OwnerSide {
        @Override
        public int execute(ByteBuffer[] readable, ByteBuffer[] writable) {
            synchronized (lock) {
                return perform(new SubmittedCommand(readable, writable, true));
            }
        }

        @Override
        public void reset() {
            synchronized (lock) {
                commands.reset();
            }
        }

        @Override
        public void setMembers(boolean enabled, int count) {
            synchronized (lock) {
                objects.destroyAbove(count);
                members.setEnabled(enabled);
                members.resize(count);
            }
        }
    }

    /**
     * Sets who is told, after the driver of the owner device has enabled or disabled VFs; replaces the one before. It
     * is called without any lock, on the thread that did it, and reads the number where it wants to know.
     */
    public void onMembersChanged(Runnable listener) {
        membersListener = listener;
    }

    private void announceMembers() {
        int now = members.count();
        if (announced.getAndSet(now) != now) {
            membersListener.run();
        }
    }

    @Override
    public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        SubmittedCommand submitted = new SubmittedCommand(readable, writable, false);
        if (queues.isPresent()) {
            return queues.get().submit(submitted);
        }
        synchronized (lock) {
            return closed
                    ? CompletableFuture.failedFuture(gone())
                    : CompletableFuture.completedFuture(perform(submitted));
        }
    }

    private int executeLater(SubmittedCommand submitted) throws DeviceException {
        synchronized (lock) {
            if (closed) {
                throw gone();
            }
            return perform(submitted);
        }
    }

    /** What commands change in the owner device itself, in words; with members and registers it is the whole state. */
    String describe() {
        synchronized (lock) {
            return commands.toString();
        }
    }

    private int perform(SubmittedCommand submitted) {
        AdminResult result = commands.execute(submitted);
        pace.executed(submitted, result);
        return submitted.complete(result);
    }

    @Override
    public void resetFunction(long groupMemberId) throws DeviceException {
        MemberDevice member = member(groupMemberId).device();
        if (settings.commands().isContext()) {
            member.context().resetFunction();
        } else {
            member.resetFunction();
        }
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

    @Override
    public Optional<DirtyTracker> dirtyTracker(long groupMemberId) {
        return settings.dirtyTracking()
                ? Optional.of(new MemberTracker(ownerId(), members, groupMemberId))
                : Optional.empty();
    }

    /**
     * Adds members at the end, or removes the last ones with their resource objects; the others go on undisturbed.
     * NumVFs and VF Enable of the owner device follow; the listener is not told.
     *
     * @param count the new number of members
     */
    public void resize(int count) {
        device.setMembers(count);
        announced.set(members.count());
    }

    /** Removes all members and resource objects; every later command fails with ENODEV. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
        }
        queues.ifPresent(present -> present.close(gone()));
        timer.ifPresent(TimedQueue.Timer::close);
        device.remove();
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
    public PciFunction ownerFunction() {
        return function;
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
