// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A guest in memory whose processors' writes are tracked; every call can be watched and failed. */
public final class LiveGuest implements Guest, GuestMemory {

    public static final long BASE = 0x4000_0000L;

    public final byte[] memory;
    public final FakeTracker tracker;
    public final Map<String, String> configurations = new ConcurrentHashMap<>();
    public volatile LiveDriver.Interceptor interceptor = LiveDriver.Interceptor.NONE;
    public volatile boolean running;
    public volatile boolean tracked = true;
    public volatile boolean mapped;
    public volatile long reads;
    public volatile long views;
    public volatile List<IovaRange> ranges;
    private final String name;

    public LiveGuest(String name, int bytes, boolean running) {
        this.name = name;
        this.memory = new byte[bytes];
        this.tracker = new FakeTracker(name);
        this.running = running;
        this.ranges = List.of(new IovaRange(BASE, bytes));
    }

    /** A processor of the guest writes one byte. */
    public void store(int offset, int value) {
        memory[offset] = (byte) value;
        tracker.write(BASE + offset, 1);
    }

    @Override
    public void pause() throws IOException {
        interceptor.call(name, "pause");
        running = false;
    }

    @Override
    public void resume() throws IOException {
        interceptor.call(name, "resume");
        running = true;
    }

    @Override
    public GuestMemory memory() {
        return this;
    }

    @Override
    public ByteBuffer saveDeviceConfig(String deviceId) throws IOException {
        interceptor.call(name, "saveDeviceConfig");
        return ByteBuffer.wrap(("config of " + deviceId).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    @Override
    public void loadDeviceConfig(String deviceId, ByteBuffer config) throws IOException {
        interceptor.call(name, "loadDeviceConfig");
        configurations.put(deviceId, java.nio.charset.StandardCharsets.UTF_8.decode(config).toString());
    }

    @Override
    public List<IovaRange> ranges() {
        interceptor.callUnchecked(name, "ranges");
        return ranges;
    }

    @Override
    public void read(long address, ByteBuffer into) throws IOException {
        int less = interceptor.cutsShort(name, "memory read") ? 1 : 0;
        reads++;
        into.put(memory, offset(address), into.remaining() - less);
    }

    @Override
    public void write(long address, ByteBuffer from) throws IOException {
        int less = interceptor.cutsShort(name, "memory write") ? 1 : 0;
        from.get(memory, offset(address), from.remaining() - less);
    }

    @Override
    public Optional<ByteBuffer> view(long address, int length) throws IOException {
        int less = interceptor.cutsShort(name, "view") ? 1 : 0;
        if (!mapped) {
            return Optional.empty();
        }
        views++;
        return Optional.of(ByteBuffer.wrap(memory, offset(address), length - less).slice());
    }

    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        interceptor.callUnchecked(name, "dirtyTracker");
        return tracked ? Optional.of(tracker) : Optional.empty();
    }

    private static int offset(long address) {
        return (int) (address - BASE);
    }
}
