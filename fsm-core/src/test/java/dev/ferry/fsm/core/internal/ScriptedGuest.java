// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.IovaRange;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A guest in memory with two ranges; each call can be made to fail. */
public final class ScriptedGuest implements Guest, GuestMemory {

    /** Larger than one chunk of the copy, and no multiple of it. */
    public static final int LARGE = 1024 * 1024 + 17;

    private static final long HIGH = 0x1_0000_0000L;

    /** What can be made to fail. */
    public enum Call {
        PAUSE,
        RESUME,
        RANGES,
        READ,
        WRITE,
        SAVE_CONFIG,
        LOAD_CONFIG
    }

    public final byte[] low = new byte[4096];
    public final byte[] high = new byte[LARGE];
    public volatile boolean running;
    public volatile String config = "none";
    public volatile Call failing;
    public volatile List<IovaRange> ranges = List.of(new IovaRange(0, 4096), new IovaRange(HIGH, LARGE));
    public volatile int configBytes = -1;

    public ScriptedGuest(boolean running) {
        this.running = running;
    }

    private void called(Call call) throws IOException {
        if (call == failing) {
            throw new IOException("scripted");
        }
    }

    @Override
    public void pause() throws IOException {
        running = false;
        called(Call.PAUSE);
    }

    @Override
    public void resume() throws IOException {
        called(Call.RESUME);
        running = true;
    }

    @Override
    public GuestMemory memory() {
        return this;
    }

    @Override
    public ByteBuffer saveDeviceConfig(String deviceId) throws IOException {
        called(Call.SAVE_CONFIG);
        return configBytes >= 0
                ? ByteBuffer.allocate(configBytes)
                : ByteBuffer.wrap(config.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void loadDeviceConfig(String deviceId, ByteBuffer saved) throws IOException {
        called(Call.LOAD_CONFIG);
        config = StandardCharsets.UTF_8.decode(saved).toString();
    }

    @Override
    public List<IovaRange> ranges() {
        if (failing == Call.RANGES) {
            throw new IllegalStateException("scripted");
        }
        return ranges;
    }

    @Override
    public void read(long address, ByteBuffer into) throws IOException {
        called(Call.READ);
        if (running) {
            throw new IOException("read while the guest runs");
        }
        into.put(bytes(address), offset(address), into.remaining());
    }

    @Override
    public void write(long address, ByteBuffer from) throws IOException {
        called(Call.WRITE);
        from.get(bytes(address), offset(address), from.remaining());
    }

    private byte[] bytes(long address) {
        return address < HIGH ? low : high;
    }

    private static int offset(long address) {
        return (int) (address < HIGH ? address : address - HIGH);
    }
}
