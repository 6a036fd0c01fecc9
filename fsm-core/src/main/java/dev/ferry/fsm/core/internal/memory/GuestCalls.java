// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import dev.ferry.migration.MigrationException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The one way into the code of a guest at one end: whatever it throws becomes GUEST_FAILED. One call at a time, as the
 * job that uses it takes care of.
 */
public final class GuestCalls {

    /** The most that {@link Guest#saveDeviceConfig} may give. */
    static final int MAX_DEVICE_CONFIG_BYTES = 64 * 1024;

    /** No machine has memory behind it, and below it the end of any page can be told in 64 bits with a sign. */
    private static final long MEMORY_END = 1L << 62;

    private final String end;
    private final Guest guest;

    /** A guest at the end that is called {@code source} or {@code destination}. */
    public GuestCalls(String end, Guest guest) {
        this.end = end;
        this.guest = guest;
    }

    /** One call of a guest's code. */
    interface Call<T> {
        T run() throws IOException;
    }

    /** As the guest. */
    public void pause() throws MigrationException {
        call("could not be paused", () -> {
            guest.pause();
            return null;
        });
    }

    /** As the guest. */
    public void resume() throws MigrationException {
        call("could not be resumed", () -> {
            guest.resume();
            return null;
        });
    }

    /** Its memory; refused when it is not ascending, overlaps, or lies where no machine has any. */
    public List<IovaRange> ranges() throws MigrationException {
        List<IovaRange> ranges = call("could not name its memory", () -> List.copyOf(guest.memory().ranges()));
        long end = 0;
        for (IovaRange range : ranges) {
            if (range.iova() < end || range.end() > MEMORY_END) {
                throw failed(
                        "must name its memory ascending, without overlap and below 0x" + Long.toHexString(MEMORY_END)
                                + ", not as " + ranges + ".",
                        null);
            }
            end = range.end();
        }
        return ranges;
    }

    /** What tells which pages its processors write; empty when nothing can. */
    public Optional<DirtyTracker> dirtyTracker() throws MigrationException {
        return call("could not name its dirty tracker", () -> guest.memory().dirtyTracker());
    }

    /** A view of its memory, from position to limit, where it has one. */
    Optional<ByteBuffer> view(long address, int length) throws MigrationException {
        String what = "could not show its memory at 0x" + Long.toHexString(address);
        Optional<ByteBuffer> view = call(what, () -> memory().view(address, length));
        if (view.isPresent() && view.get().remaining() != length) {
            throw failed("showed only a part of its memory at 0x" + Long.toHexString(address) + ".", null);
        }
        return view;
    }

    /** Fills the buffer from its position to its limit. */
    void read(long address, ByteBuffer into) throws MigrationException {
        call("could not give its memory at 0x" + Long.toHexString(address), () -> {
            memory().read(address, into);
            return null;
        });
        if (into.hasRemaining()) {
            throw failed("gave only a part of its memory at 0x" + Long.toHexString(address) + ".", null);
        }
    }

    void write(long address, ByteBuffer from) throws MigrationException {
        call("could not take its memory at 0x" + Long.toHexString(address), () -> {
            memory().write(address, from);
            return null;
        });
        if (from.hasRemaining()) {
            throw failed("took only a part of its memory at 0x" + Long.toHexString(address) + ".", null);
        }
    }

    /** As the guest. */
    public ByteBuffer saveDeviceConfig(String device) throws MigrationException {
        ByteBuffer config = call("could not save the configuration of " + device, () -> guest.saveDeviceConfig(device));
        if (config == null || config.remaining() > MAX_DEVICE_CONFIG_BYTES) {
            String limit = "at most " + MAX_DEVICE_CONFIG_BYTES + " bytes of configuration";
            throw failed("must give " + limit + " of " + device + ".", null);
        }
        return config;
    }

    /** As the guest. */
    public void loadDeviceConfig(String device, ByteBuffer config) throws MigrationException {
        call("could not load the configuration of " + device, () -> {
            guest.loadDeviceConfig(device, config);
            return null;
        });
    }

    /** Calls code of the guest. */
    <T> T call(String what, Call<T> call) throws MigrationException {
        try {
            return call.run();
        } catch (IOException | RuntimeException | Error e) {
            throw failed(what + ": " + e, e);
        }
    }

    private GuestMemory memory() {
        return guest.memory();
    }

    private MigrationException failed(String what, Throwable cause) {
        Optional<Errno> errno = cause instanceof DeviceException e ? Optional.of(e.errno()) : Optional.empty();
        return new MigrationException(
                new Failure(
                        FailureCode.GUEST_FAILED,
                        Optional.empty(),
                        Optional.empty(),
                        errno,
                        "The guest at the " + end + " " + what,
                        List.of()),
                cause);
    }
}
