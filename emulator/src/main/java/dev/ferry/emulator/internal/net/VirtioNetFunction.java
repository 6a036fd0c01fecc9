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
import dev.ferry.emulator.internal.pci.PciRegisters;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One virtio-net VF: the PCI function, its cable, and what its owner device does with it.
 *
 * <p>Thread-safe by its {@link FunctionGate}; frames leave under the lock. It has no thread: all work is done on the
 * threads that call.
 */
public final class VirtioNetFunction implements MemberDevice, PciFunction, NetworkPort {

    /** Bound for interrupts on their way when the device stops; a listener should need microseconds. */
    private static final Duration SENDERS_TIMEOUT = Duration.ofSeconds(2);

    private final FunctionConfig config;
    private final FunctionRegisters registers;
    private final NetDevice device;
    private final FunctionParts parts;
    private final FunctionContext context;
    private final FunctionLegacy legacy;
    private final FunctionGate gate;

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
        this.registers = new FunctionRegisters(config, owner);
        this.device = registers.device();
        this.gate = new FunctionGate(config, registers, sendersTimeout);
        this.parts = new FunctionParts(config, device);
        this.context = new FunctionContext(this, gate, registers);
        this.legacy = new FunctionLegacy(gate, registers.legacy());
    }

    @Override
    public String id() {
        return config.id();
    }

    @Override
    public long readConfig(int offset, int size) {
        return gate.locked(() -> gate.isRemoved() ? PciRegisters.allOnes(size) : registers.readConfig(offset, size));
    }

    @Override
    public void writeConfig(int offset, int size, long value) {
        gate.performAndServe(() -> registers.writeConfig(offset, size, value));
    }

    @Override
    public long barSize(int bar) {
        return FunctionLayout.barSize(bar);
    }

    @Override
    public long readBar(int bar, long offset, int size) {
        checkSize(size);
        return gate.locked(() -> gate.isRemoved() || !registers.isMemoryEnabled()
                ? PciRegisters.allOnes(size)
                : registers.readBar(bar, offset, size));
    }

    @Override
    public void writeBar(int bar, long offset, int size, long value) {
        checkSize(size);
        gate.performAndServe(() -> {
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
        gate.performAndServe(() -> registers.attach(dma, interrupts));
    }

    @Override
    public void detach() {
        gate.locked(() -> {
            registers.detach();
            return gate.awaitSenders();
        });
    }

    @Override
    public Delivery deliver(ByteBuffer frame) {
        return gate.locked(() -> device.deliver(frame));
    }

    @Override
    public void connect(FrameSink sink) {
        Objects.requireNonNull(sink, "sink");
        gate.locked(() -> {
            device.connect(sink);
            return sink;
        });
    }

    @Override
    public boolean setStopped(boolean stopped) {
        boolean done = !stopped || stop();
        if (!stopped || !done) {
            gate.performAndServe(device::resume);
        }
        return done;
    }

    /** Enters the stopped mode; false when it was not in it and an interrupt is still on its way. */
    private boolean stop() {
        return gate.locked(() -> {
            boolean before = device.isStopped();
            device.stop();
            return before || gate.awaitSenders();
        });
    }

    @Override
    public boolean isStopped() {
        return gate.locked(device::isStopped);
    }

    @Override
    public List<DevicePart> partHeaders() {
        return gate.locked(parts::headers);
    }

    @Override
    public int maxPartsSize() {
        return PartsCapture.maxSize(config);
    }

    @Override
    public boolean captureParts(List<DevicePart> selected, ByteBuffer into) {
        return gate.locked(() -> parts.capture(selected, into));
    }

    @Override
    public AdminResult loadParts(ByteBuffer image) {
        return gate.locked(() -> parts.load(image, gate.isRemoved()));
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
        return new FunctionTracker(gate, registers.writeRecords().tracker());
    }

    @Override
    public void resetFunction() {
        resetFunction(true);
    }

    /** Function-level reset; may set the device to work that is stopped. */
    void resetFunction(boolean toWork) {
        gate.perform(() -> registers.functionResetKeepingPci(toWork));
    }

    /**
     * Enables another number of VFs of an owner device, as {@link VfControl#setMembers} does; nothing once removed.
     *
     * @param count 0 to {@link VfControl#TOTAL_VFS}
     */
    public void setMembers(int count) {
        gate.perform(() -> registers.setMembers(count));
    }

    @Override
    public void pullOut() {
        gate.locked(() -> {
            gate.setRemoved();
            registers.detach();
            registers.functionReset();
            registers.writeRecords().stop();
            return true;
        });
    }

    @Override
    public boolean awaitSenders(Duration limit) {
        return gate.locked(() -> gate.awaitSenders(limit));
    }

    /** Pulled out, with no interrupt on its way unless somebody takes it for too long. */
    public void remove() {
        pullOut();
        gate.locked(gate::awaitSenders);
    }
}
