// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.internal.member.MemberDevice;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** A member with three parts that are written here as bytes; remembers what the owner device did to it. */
final class FakeMember implements MemberDevice, PciFunction, NetworkPort {

    /** DEV_FEATURES, optional: VERSION_1. */
    static final String DEV_FEATURES = "00010100 0000000000000000 08000000 0000000001000000";
    /** DRV_FEATURES: VERSION_1. */
    static final String DRV_FEATURES = "01010000 0000000000000000 08000000 0000000001000000";
    /** DEVICE_STATUS: 0x0F; an odd length on purpose. */
    static final String DEVICE_STATUS = "03010000 0000000000000000 01000000 0f";
    /** All three: 24 + 24 + 17 bytes. */
    static final String ALL = DEV_FEATURES + DRV_FEATURES + DEVICE_STATUS;

    /** Reserve beyond what the parts take now. */
    static final int RESERVE = 35;

    final int number;
    boolean stopped;
    boolean busy;
    /** Called when the mode was set, as an interrupt listener may be. */
    Runnable whenSet = () -> {};
    boolean removed;
    int resets;
    byte[] loaded;
    /** The memory that the last load or capture worked on. */
    ByteBuffer lastBuffer;

    FakeMember(int number) {
        this.number = number;
    }

    @Override
    public boolean setStopped(boolean stopped) {
        this.stopped = busy ? this.stopped : stopped;
        whenSet.run();
        return !busy;
    }

    @Override
    public boolean isStopped() {
        return stopped;
    }

    @Override
    public List<DevicePart> partHeaders() {
        return List.of(
                new DevicePart(0x100, 1, 0, 8), new DevicePart(0x101, 0, 0, 8), new DevicePart(0x103, 0, 0, 1));
    }

    @Override
    public int maxPartsSize() {
        return Bench.bytes(ALL).length + RESERVE;
    }

    @Override
    public boolean captureParts(List<DevicePart> selected, ByteBuffer into) {
        lastBuffer = into;
        String[] parts = {DEV_FEATURES, DRV_FEATURES, DEVICE_STATUS};
        List<DevicePart> headers = partHeaders();
        StringBuilder image = new StringBuilder();
        for (int i = 0; i < parts.length; i++) {
            if (selected == null || selected.contains(headers.get(i))) {
                image.append(parts[i]);
            }
        }
        byte[] bytes = Bench.bytes(image.toString());
        if (bytes.length > into.remaining()) {
            return false;
        }
        into.put(bytes);
        return true;
    }

    @Override
    public AdminResult loadParts(ByteBuffer parts) {
        lastBuffer = parts;
        byte[] bytes = new byte[parts.remaining()];
        parts.duplicate().get(bytes);
        if (!stopped || bytes.length < 17) {
            return Refusal.INVALID_FIELD;
        }
        loaded = bytes;
        return AdminResult.SUCCESS;
    }

    @Override
    public void resetFunction() {
        resets++;
        stopped = false;
    }

    @Override
    public void pullOut() {
        removed = true;
    }

    @Override
    public boolean awaitSenders(Duration limit) {
        return true;
    }

    @Override
    public String id() {
        return "fake" + number;
    }

    @Override
    public long readConfig(int offset, int size) {
        return -1;
    }

    @Override
    public void writeConfig(int offset, int size, long value) {}

    @Override
    public long barSize(int bar) {
        return 0;
    }

    @Override
    public long readBar(int bar, long offset, int size) {
        return -1;
    }

    @Override
    public void writeBar(int bar, long offset, int size, long value) {}

    @Override
    public void attach(DmaSpace dma, InterruptListener interrupts) {}

    @Override
    public void detach() {}

    @Override
    public Delivery deliver(ByteBuffer frame) {
        return Delivery.NOT_READY;
    }

    @Override
    public void connect(FrameSink sink) {}

    /** Makes members and keeps them, by id - 1. */
    static final class Factory implements IntFunction<Member> {
        final List<FakeMember> made = new ArrayList<>();

        @Override
        public Member apply(int number) {
            FakeMember member = new FakeMember(number);
            made.add(member);
            return Member.of(member);
        }
    }
}
