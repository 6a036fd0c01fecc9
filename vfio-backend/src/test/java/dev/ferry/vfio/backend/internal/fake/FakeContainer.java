// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** A container with a type 1 IOMMU, once a group has joined and the IOMMU is set. */
final class FakeContainer extends FakeFile {
    private static final int TYPE1 = 1;
    private static final int TYPE1V2 = 3;
    private static final int INFO_BYTES = 24;

    private final FakeHost host;
    private final Mappings mappings;
    int groups;
    private long type;

    FakeContainer(FakeHost host) {
        this.host = host;
        this.mappings = new Mappings(host.mapped);
    }

    boolean hasIommu() {
        return type != 0;
    }

    @Override
    int ioctl(int request, long argument) {
        return switch (request) {
            case 0x3B64 -> host.kernel.answer(Request.GET_API_VERSION, () -> host.apiVersion);
            case 0x3B65 -> host.kernel.answer(Request.CHECK_EXTENSION, () -> isOffered(argument) ? 1 : 0);
            case 0x3B66 -> host.kernel.answer(Request.SET_IOMMU, () -> setIommu(argument));
            default -> -ENOTTY;
        };
    }

    private boolean isOffered(long wanted) {
        return wanted == TYPE1 || wanted == TYPE1V2 && host.type1v2;
    }

    private int setIommu(long wanted) {
        if (groups == 0 || hasIommu()) {
            return -EINVAL;
        }
        if (!isOffered(wanted)) {
            return -ENODEV;
        }
        type = wanted;
        return 0;
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
        if (!hasIommu()) {
            return -EINVAL;
        }
        return switch (request) {
            case 0x3B70 -> host.kernel.answer(Request.IOMMU_GET_INFO, () -> sized(argument, 16, () -> info(argument)));
            case 0x3B71 -> host.kernel.answer(Request.MAP_DMA, () -> sized(argument, 32, () -> map(argument)));
            case 0x3B72 -> host.kernel.answer(Request.UNMAP_DMA, () -> sized(argument, 24, () -> unmap(argument)));
            case 0x3B75 -> sized(argument, 8, () -> dirtyPages(argument));
            default -> -ENOTTY;
        };
    }

    /** Capabilities: IOVA ranges at 24, migration at 56, free mappings at 88; more when a test adds some. */
    private int info(MemorySegment argument) {
        int argsz = argument.get(JAVA_INT, 0);
        byte[] chain = host.capabilities();
        argument.set(JAVA_INT, 4, chain.length > 0 ? 3 : 1);
        argument.set(JAVA_LONG, 8, 0x40201000L);
        if (argsz < INFO_BYTES + chain.length) {
            argument.set(JAVA_INT, 0, INFO_BYTES + chain.length);
        } else {
            MemorySegment.copy(MemorySegment.ofArray(chain), 0, argument, INFO_BYTES, chain.length);
        }
        if (argsz >= INFO_BYTES) {
            boolean fits = chain.length > 0 && argsz >= INFO_BYTES + chain.length;
            argument.set(JAVA_INT, 16, fits ? host.firstCapability : 0);
        }
        return 0;
    }

    private int map(MemorySegment argument) {
        int flags = argument.get(JAVA_INT, 4);
        if ((flags & ~7) != 0 || (flags & 3) == 0) {
            return -EINVAL;
        }
        return mappings.map(argument.get(JAVA_LONG, 16),
                new FakeHost.Mapping(argument.get(JAVA_LONG, 24), argument.get(JAVA_LONG, 8), flags));
    }

    private int unmap(MemorySegment argument) {
        long iova = argument.get(JAVA_LONG, 8);
        long size = argument.get(JAVA_LONG, 16);
        if (argument.get(JAVA_INT, 4) != 0 || size <= 0 || (iova | size) % Mappings.PAGE != 0
                || type == TYPE1V2 && mappings.cuts(iova, size)) {
            return -EINVAL;
        }
        argument.set(JAVA_LONG, 16, mappings.unmap(iova, size));
        return 0;
    }

    private int dirtyPages(MemorySegment argument) {
        if (type != TYPE1V2) {
            return -EACCES;
        }
        return switch (argument.get(JAVA_INT, 4)) {
            case 1 -> host.kernel.answer(Request.DIRTY_PAGES_START, () -> host.track(this, true));
            case 2 -> host.kernel.answer(Request.DIRTY_PAGES_STOP, () -> host.track(this, false));
            case 4 -> host.kernel.answer(
                    Request.DIRTY_PAGES_GET_BITMAP, () -> sized(argument, 48, () -> bitmap(argument)));
            default -> -EINVAL;
        };
    }

    private int bitmap(MemorySegment argument) {
        long iova = argument.get(JAVA_LONG, 8);
        long size = argument.get(JAVA_LONG, 16);
        long needed = (size / Mappings.PAGE + 63) / 64 * 8;
        boolean valid = argument.get(JAVA_LONG, 24) == Mappings.PAGE
                && size > 0
                && iova + size > 0
                && (iova | size) % Mappings.PAGE == 0
                && argument.get(JAVA_LONG, 32) >= needed
                && argument.get(JAVA_LONG, 32) <= host.mostDirtyBitmapBytes
                && argument.get(JAVA_LONG, 40) != 0;
        if (!valid || !host.isRecording(this) || mappings.cuts(iova, size)) {
            return -EINVAL;
        }
        FakeDmaLog.mark(host.dirty, iova, size, Mappings.PAGE, argument.get(JAVA_LONG, 40), Mappings.PAGE);
        return 0;
    }

    @Override
    void close() {
        host.forget(this);
        mappings.close();
    }
}
