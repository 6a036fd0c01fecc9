// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import dev.ferry.migration.MigrationException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** The one way into the code of a guest at one end: whatever it throws becomes GUEST_FAILED. Confined to one job. */
final class GuestCalls {

    /** The most that {@link Guest#saveDeviceConfig} may give. */
    static final int MAX_DEVICE_CONFIG_BYTES = 64 * 1024;

    private final String end;
    private final Guest guest;

    /** A guest at the end that is called {@code source} or {@code destination}. */
    GuestCalls(String end, Guest guest) {
        this.end = end;
        this.guest = guest;
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    void pause() throws MigrationException {
        call("could not be paused", () -> {
            guest.pause();
            return null;
        });
    }

    void resume() throws MigrationException {
        call("could not be resumed", () -> {
            guest.resume();
            return null;
        });
    }

    List<GuestMemory.Range> ranges() throws MigrationException {
        return call("could not name its memory", () -> List.copyOf(guest.memory().ranges()));
    }

    /** Fills the buffer from its position to its limit. */
    void read(long address, ByteBuffer into) throws MigrationException {
        call("could not give its memory at 0x" + Long.toHexString(address), () -> {
            guest.memory().read(address, into);
            return null;
        });
        if (into.hasRemaining()) {
            throw failed("gave only a part of its memory at 0x" + Long.toHexString(address) + ".", null);
        }
    }

    void write(long address, ByteBuffer from) throws MigrationException {
        call("could not take its memory at 0x" + Long.toHexString(address), () -> {
            guest.memory().write(address, from);
            return null;
        });
    }

    ByteBuffer saveDeviceConfig(String device) throws MigrationException {
        ByteBuffer config = call("could not save the configuration of " + device, () -> guest.saveDeviceConfig(device));
        if (config == null || config.remaining() > MAX_DEVICE_CONFIG_BYTES) {
            String limit = "at most " + MAX_DEVICE_CONFIG_BYTES + " bytes of configuration";
            throw failed("must give " + limit + " of " + device + ".", null);
        }
        return config;
    }

    void loadDeviceConfig(String device, ByteBuffer config) throws MigrationException {
        call("could not load the configuration of " + device, () -> {
            guest.loadDeviceConfig(device, config);
            return null;
        });
    }

    private <T> T call(String what, Call<T> call) throws MigrationException {
        try {
            return call.run();
        } catch (IOException | RuntimeException | Error e) {
            throw failed(what + ": " + e, e);
        }
    }

    private MigrationException failed(String what, Throwable cause) {
        return new MigrationException(
                Failure.of(FailureCode.GUEST_FAILED, "The guest at the " + end + " " + what), cause);
    }
}
