// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.emulator.internal.memory.PageTracker;
import java.nio.ByteBuffer;
import java.util.List;

/** The writes of whichever member has an id now, as the IOMMU of the emulated host tells them. Thread-safe. */
final class MemberTracker implements DirtyTracker {

    /** As every member answers. */
    private static final Capabilities CAPABILITIES = new Capabilities(
            "tracking of the emulated IOMMU", PageTracker.PAGE_SIZES, PageTracker.MAX_RANGES, false);

    private final String ownerId;
    private final MemberGroup members;
    private final long id;

    MemberTracker(String ownerId, MemberGroup members, long id) {
        this.ownerId = ownerId;
        this.members = members;
        this.id = id;
    }

    @Override
    public Capabilities capabilities() {
        return CAPABILITIES;
    }

    @Override
    public void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        member().start(pageSize, ranges);
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        member().reportAndClear(range, bitmap);
    }

    @Override
    public void stop() throws DeviceException {
        member().stop();
    }

    private DirtyTracker member() throws DeviceException {
        return members.find(id)
                .orElseThrow(() -> new DeviceException(
                        Errno.ENODEV, "%s has no member %d whose writes could be told".formatted(ownerId, id)))
                .device()
                .dirtyTracker();
    }
}
