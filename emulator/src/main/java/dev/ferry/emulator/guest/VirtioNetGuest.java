// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.VirtioFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A guest with one processor that drives one virtio-net function and sends every frame it receives out again, in order.
 *
 * <p>It is either {@linkplain #boot booted} on a function, or {@linkplain #attach attached} to one beside a copy of the
 * memory of a guest that was booted elsewhere, whose work it continues. Thread-safe. Owns one thread, {@code
 * ferry-guest-} and the id of the function, until it is closed.
 */
public final class VirtioNetGuest implements Guest, AutoCloseable {

    private static final String THREAD_PREFIX = "ferry-guest-";
    private static final long CONTROL_SECONDS = 30;
    private static final int CONFIG_VECTOR = 0;

    private final PciFunction function;
    private final GuestRam ram;
    private final VirtualCpu cpu;
    private final AtomicBoolean configurationChanged = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();
    // Written by who resumes the processor, which orders it before the rounds.
    private volatile VirtioNetDriver driver;
    private boolean lookAtAll;

    private VirtioNetGuest(PciFunction function, GuestRam ram) {
        this.function = function;
        this.ram = ram;
        this.cpu = new VirtualCpu(THREAD_PREFIX + function.id(), this::round, this::nanosToNextRound);
        ram.processor(this::passRound);
        function.attach(ram.dma(), this::interrupted);
    }

    /** The same with {@link GuestOptions#defaults}. */
    public static VirtioNetGuest boot(PciFunction function, GuestRam memory) throws IOException {
        return boot(function, memory, GuestOptions.defaults());
    }

    /**
     * Starts a guest: resets the function, whatever state it is in, and sets it up.
     *
     * @return running
     * @throws IOException when the function does not do what a virtio-net device must; it is reset and left alone
     */
    public static VirtioNetGuest boot(PciFunction function, GuestRam memory, GuestOptions options)
            throws IOException {
        VirtioNetGuest guest = new VirtioNetGuest(function, memory);
        try {
            guest.driver = VirtioNetDriver.boot(function, memory, options);
            guest.resume();
            guest.configure(options);
            return guest;
        } catch (IOException | RuntimeException e) {
            guest.closeAfter(e);
            throw e;
        }
    }

    /**
     * Puts a guest beside a function without running it. The memory may be empty still: what the driver knows is read
     * from it at the first {@link #resume}. The function is not touched.
     *
     * @param memory a copy of another guest's, at the same address, by the first resume
     * @return paused
     */
    public static VirtioNetGuest attach(PciFunction function, GuestRam memory) {
        return new VirtioNetGuest(function, memory);
    }

    private void closeAfter(Exception first) {
        try {
            close();
        } catch (IOException e) {
            first.addSuppressed(e);
        }
    }

    private void configure(GuestOptions options) throws IOException {
        if (driver.has(VirtioFeature.NET_MQ)) {
            command(NetControl.MQ_VQ_PAIRS_SET,
                    new byte[] {(byte) options.queuePairs(), (byte) (options.queuePairs() >>> Byte.SIZE)});
        }
        if (options.promiscuous() && driver.has(VirtioFeature.NET_CTRL_RX)) {
            command(NetControl.RX_PROMISC, new byte[] {1});
        }
    }

    private void command(NetControl control, byte[] data) throws IOException {
        try {
            if (!control(control, data).toCompletableFuture().get(CONTROL_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException(function.id() + " refuses the control command " + control);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + function.id() + " was set up", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException(function.id() + " does not answer the control command " + control, e);
        }
    }

    /** Id of the function. */
    public String id() {
        return function.id();
    }

    /** The features that driver and device agreed upon; 0 before an attached guest was resumed. */
    public long features() {
        VirtioNetDriver present = driver;
        return present == null ? 0 : present.features();
    }

    /** Frames sent out again since the boot, at all ends; 0 before an attached guest was resumed. */
    public long forwardedFrames() {
        VirtioNetDriver present = driver;
        return present == null ? 0 : present.forwarded();
    }

    /** Pages that its {@link MemoryLoad} has written since the boot, at all ends; 0 without one. */
    public long writtenPages() {
        return writer().map(MemoryWriter::written).orElse(0L);
    }

    /**
     * Looks whether all memory that its {@link MemoryLoad} has written holds what was written last. Only while paused.
     *
     * @return which page does not; empty when all do, or when there is no such program
     */
    public Optional<String> lostMemory() {
        if (!cpu.isPaused()) {
            throw new IllegalStateException("the guest on " + id() + " writes its memory; pause it");
        }
        return writer().flatMap(MemoryWriter::check);
    }

    private Optional<MemoryWriter> writer() {
        VirtioNetDriver present = driver;
        return present == null ? Optional.empty() : present.writer();
    }

    /** Why the processor stopped for good: the device did what no device may. Empty otherwise. */
    public Optional<String> failure() {
        return cpu.failure();
    }

    /**
     * Sends a command by the control queue.
     *
     * @param data without class and number, at most 4,093 bytes
     * @return completes with whether the device accepted it; exceptionally with an IOException when the guest is closed
     *     or has no control queue
     */
    public CompletionStage<Boolean> control(NetControl control, byte[] data) {
        Optional<ControlQueue> queue = driver == null ? Optional.empty() : driver.control();
        if (queue.isEmpty()) {
            return CompletableFuture.failedStage(new IOException(function.id() + ": the guest has no control queue"));
        }
        CompletionStage<Boolean> accepted = queue.get().request(control, data);
        cpu.wake();
        return accepted;
    }

    @Override
    public void pause() throws IOException {
        cpu.pause();
    }

    @Override
    public synchronized void resume() throws IOException {
        if (!cpu.isPaused()) {
            return;
        }
        if (driver == null) {
            driver = VirtioNetDriver.resume(function, ram);
        }
        lookAtAll = true;
        cpu.wake();
        cpu.resume();
    }

    @Override
    public GuestMemory memory() {
        return ram;
    }

    @Override
    public ByteBuffer saveDeviceConfig(String deviceId) throws IOException {
        return DeviceConfig.save(function);
    }

    @Override
    public void loadDeviceConfig(String deviceId, ByteBuffer config) throws IOException {
        DeviceConfig.load(function, config);
    }

    /**
     * Ends the guest, within seconds: its processor stops, the function is reset and has neither memory nor interrupts
     * any more. Does nothing when closed.
     */
    @Override
    public void close() throws IOException {
        if (closed.getAndSet(true)) {
            return;
        }
        try {
            cpu.close();
        } finally {
            VirtioNetDriver present = driver;
            if (present != null) {
                present.control().ifPresent(ControlQueue::close);
            }
            release();
        }
    }

    // A function that was pulled out shows no capabilities; there is nothing to reset then.
    private void release() throws IOException {
        try {
            PciConfig config = new PciConfig(function);
            if (config.isPresent()) {
                config.quiesce();
                VirtioPci.find(function).reset();
                MsixTable.find(function).disable();
                config.disable();
            }
        } finally {
            function.detach();
        }
    }

    private void interrupted(int vector, long address, int data) {
        if (data == CONFIG_VECTOR) {
            configurationChanged.set(true);
        }
        cpu.wake();
    }

    /** Time until the guest does something by itself. */
    private long nanosToNextRound() {
        VirtioNetDriver present = driver;
        return present == null
                ? VirtualCpu.NOT_BY_ITSELF
                : present.writer().map(MemoryWriter::nanosToNext).orElse(VirtualCpu.NOT_BY_ITSELF);
    }

    private void passRound() throws DeviceException {
        try {
            cpu.passRound();
        } catch (IOException e) {
            throw new DeviceException(
                    Errno.ETIMEDOUT, "the guest on " + id() + " did not let its writes be recorded", e);
        }
    }

    private boolean round() {
        VirtioNetDriver present = driver;
        if (lookAtAll) {
            lookAtAll = false;
            present.resumed();
        }
        if (configurationChanged.getAndSet(false)) {
            present.configurationChanged();
        }
        return present.poll();
    }
}
