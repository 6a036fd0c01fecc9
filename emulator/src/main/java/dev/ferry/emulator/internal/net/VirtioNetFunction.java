// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.device.DirtyTracker;
import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.internal.legacy.LegacyInterface;
import dev.ferry.emulator.internal.member.ContextDevice;
import dev.ferry.emulator.internal.member.MemberDevice;
import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.emulator.internal.pci.FunctionLock;
import dev.ferry.emulator.internal.pci.MsixMessage;
import dev.ferry.emulator.internal.pci.PciRegisters;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One virtio-net VF: the PCI function, its cable, and what its owner device does with it.
 *
 * <p>Thread-safe by one lock of its own. Interrupts are sent after the lock was released; frames leave under it. It has
 * no thread: all work is done on the threads that call.
 */
public final class VirtioNetFunction implements MemberDevice, PciFunction, NetworkPort {

    private static final Logger LOG = LoggerFactory.getLogger(VirtioNetFunction.class);

    /** Bound for interrupts on their way when the device stops; a listener should need microseconds. */
    private static final Duration SENDERS_TIMEOUT = Duration.ofSeconds(2);

    private final FunctionConfig config;
    private final Duration sendersTimeout;
    private final FunctionLock lock = new FunctionLock();
    private final FunctionRegisters registers;
    private final NetDevice device;
    private final FunctionParts parts;
    private final FunctionContext context;
    private final FunctionLegacy legacy;
    private boolean removed;

    /** A function as after power-on, with nothing attached. */
    public VirtioNetFunction(FunctionConfig config) {
        this(config, OwnerSide.NONE, SENDERS_TIMEOUT);
    }

    /** The function of an owner device, as after power-on: with no members. */
    public VirtioNetFunction(FunctionConfig config, OwnerSide owner) {
        this(config, owner, SENDERS_TIMEOUT);
    }

    VirtioNetFunction(FunctionConfig config, Duration sendersTimeout) {
        this(config, OwnerSide.NONE, sendersTimeout);
    }

    private VirtioNetFunction(FunctionConfig config, OwnerSide owner, Duration sendersTimeout) {
        this.config = Objects.requireNonNull(config, "config");
        this.sendersTimeout = sendersTimeout;
        this.registers = new FunctionRegisters(config, owner);
        this.device = registers.device();
        this.parts = new FunctionParts(config, device);
        this.context = new FunctionContext(this, registers);
        this.legacy = new FunctionLegacy(this, registers.legacy());
    }

    @Override
    public String id() {
        return config.id();
    }

    @Override
    public long readConfig(int offset, int size) {
        return locked(() -> removed ? PciRegisters.allOnes(size) : registers.readConfig(offset, size));
    }

    @Override
    public void writeConfig(int offset, int size, long value) {
        performAndServe(() -> registers.writeConfig(offset, size, value));
    }

    @Override
    public long barSize(int bar) {
        return FunctionLayout.barSize(bar);
    }

    @Override
    public long readBar(int bar, long offset, int size) {
        checkSize(size);
        return locked(() -> removed || !registers.isMemoryEnabled()
                ? PciRegisters.allOnes(size)
                : registers.readBar(bar, offset, size));
    }

    @Override
    public void writeBar(int bar, long offset, int size, long value) {
        checkSize(size);
        performAndServe(() -> {
            if (registers.isMemoryEnabled()) {
                registers.writeBar(bar, offset, size, value);
            }
        });
    }

    private static void checkSize(int size) {
        if (size < 1 || size > Long.BYTES || Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException("an access has 1, 2, 4 or 8 bytes, not " + size);
        }
    }

    @Override
    public void attach(DmaSpace dma, InterruptListener interrupts) {
        Objects.requireNonNull(dma, "dma");
        Objects.requireNonNull(interrupts, "interrupts");
        performAndServe(() -> registers.attach(dma, interrupts));
    }

    @Override
    public void detach() {
        lock.enter();
        try {
            registers.detach();
            awaitSenders();
        } finally {
            leave();
        }
    }

    @Override
    public Delivery deliver(ByteBuffer frame) {
        return locked(() -> device.deliver(frame));
    }

    @Override
    public void connect(FrameSink sink) {
        Objects.requireNonNull(sink, "sink");
        locked(() -> {
            device.connect(sink);
            return sink;
        });
    }

    @Override
    public boolean setStopped(boolean stopped) {
        boolean done = !stopped || stop();
        if (!stopped || !done) {
            performAndServe(device::resume);
        }
        return done;
    }

    /** Enters the stopped mode; false when it was not in it and an interrupt is still on its way. */
    private boolean stop() {
        return locked(() -> {
            boolean before = device.isStopped();
            device.stop();
            return before || awaitSenders();
        });
    }

    @Override
    public boolean isStopped() {
        return locked(device::isStopped);
    }

    @Override
    public List<DevicePart> partHeaders() {
        return locked(parts::headers);
    }

    @Override
    public int maxPartsSize() {
        return PartsCapture.maxSize(config);
    }

    @Override
    public boolean captureParts(List<DevicePart> selected, ByteBuffer into) {
        return locked(() -> parts.capture(selected, into));
    }

    @Override
    public AdminResult loadParts(ByteBuffer image) {
        return locked(() -> parts.load(image, removed));
    }

    @Override
    public ContextDevice context() {
        return context;
    }

    @Override
    public Optional<LegacyInterface> legacy() {
        return config.legacy() ? Optional.of(legacy) : Optional.empty();
    }

    @Override
    public DirtyTracker dirtyTracker() {
        return new FunctionTracker(this, registers.writeRecords().tracker());
    }

    @Override
    public void resetFunction() {
        resetFunction(true);
    }

    /** Function-level reset; may set the device to work that is stopped. */
    void resetFunction(boolean toWork) {
        lock.enter();
        try {
            if (!removed) {
                registers.functionResetKeepingPci(toWork);
            }
        } finally {
            leave();
        }
    }

    /** Whether it was pulled out; for those who hold the lock. */
    boolean isRemoved() {
        return removed;
    }

    /** Does something with the lock held. */
    <T> T locked(Supplier<T> action) {
        lock.enter();
        try {
            return action.get();
        } finally {
            leave();
        }
    }

    /**
     * Enables another number of VFs of an owner device, as {@link VfControl#setMembers} does; nothing once removed.
     *
     * @param count 0 to {@link VfControl#TOTAL_VFS}
     */
    public void setMembers(int count) {
        lock.enter();
        try {
            if (!removed) {
                registers.setMembers(count);
            }
        } finally {
            leave();
        }
    }

    @Override
    public void remove() {
        lock.enter();
        try {
            removed = true;
            registers.detach();
            registers.functionReset();
            registers.writeRecords().stop();
            awaitSenders();
        } finally {
            leave();
        }
    }

    /**
     * Does something that may let queues be worked on, then works; others may have the lock between two rounds. With as
     * many rounds as queues each has had its turn; what is notified meanwhile is for the thread that notified.
     */
    void performAndServe(Runnable action) {
        boolean more = performAndServeOne(action);
        for (int round = 1; more && round < config.queues(); round++) {
            more = performAndServeOne(() -> {});
        }
    }

    private boolean performAndServeOne(Runnable action) {
        lock.enter();
        try {
            if (!removed) {
                action.run();
            }
            return !removed && device.serve();
        } finally {
            leave();
        }
    }

    private boolean awaitSenders() {
        boolean done = lock.awaitSenders(sendersTimeout.toNanos());
        if (!done) {
            LOG.warn("the driver of {} is still taking an interrupt after {}", config.id(), sendersTimeout);
        }
        return done;
    }

    private void leave() {
        List<MsixMessage> due = lock.isOutermost() ? registers.takeDue() : List.of();
        lock.leave(due, registers.listener());
    }
}
