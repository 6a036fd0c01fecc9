// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.IovaRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** A device's log of where it writes: keeps what was started, and reports pages that lie in it. */
final class FakeDmaLog {
    private static final int MOST_RANGES = 256;
    private static final int RANGE_BYTES = 16;

    private final FakeDevice device;

    FakeDmaLog(FakeDevice device) {
        this.device = device;
    }

    int start(MemorySegment data) {
        long pageSize = data.get(JAVA_LONG, 0);
        int count = data.get(JAVA_INT, 8);
        if (count == 0 || data.get(JAVA_INT, 12) != 0) {
            return -FakeFile.EINVAL;
        }
        if (Integer.compareUnsigned(count, MOST_RANGES) > 0) {
            return -FakeFile.E2BIG;
        }
        if (data.get(JAVA_LONG, 16) == 0) {
            return -FakeFile.EFAULT;
        }
        List<IovaRange> ranges = new ArrayList<>();
        int error = take(memory(data.get(JAVA_LONG, 16), (long) count * RANGE_BYTES), pageSize, ranges);
        if (error != 0) {
            return -error;
        }
        if (device.logging) {
            return -FakeFile.EINVAL;
        }
        if (count > device.logRanges) {
            return -device.tooManyRangesErrno;
        }
        if (ranges.stream().mapToLong(IovaRange::length).sum() < device.leastLogBytes) {
            return -FakeFile.EOPNOTSUPP;
        }
        device.logging = true;
        device.loggedRanges = List.copyOf(ranges);
        device.loggedPageSize = pageSize;
        return 0;
    }

    private static int take(MemorySegment list, long pageSize, List<IovaRange> ranges) {
        for (long at = 0; at < list.byteSize(); at += RANGE_BYTES) {
            long iova = list.get(JAVA_LONG, at);
            long length = list.get(JAVA_LONG, at + 8);
            if (((iova | length) & pageSize - 1) != 0) {
                return FakeFile.EINVAL;
            }
            if (length == 0) {
                throw new AssertionError("the kernel takes a range of no bytes and goes wrong");
            }
            if (Long.compareUnsigned(iova + length - 1, iova) < 0) {
                return FakeFile.EOVERFLOW;
            }
            if (ranges.stream().anyMatch(one -> one.iova() < iova + length && iova < one.end())) {
                return FakeFile.EINVAL;
            }
            ranges.add(new IovaRange(iova, length));
        }
        return 0;
    }

    int stop() {
        device.logging = false;
        return 0;
    }

    int report(MemorySegment data) {
        long iova = data.get(JAVA_LONG, 0);
        long length = data.get(JAVA_LONG, 8);
        long pageSize = data.get(JAVA_LONG, 16);
        if (pageSize < 4096 || Long.bitCount(pageSize) != 1) {
            return -FakeFile.EINVAL;
        }
        if (length <= 0 || iova + length < 0) {
            return -FakeFile.EOVERFLOW;
        }
        if (data.get(JAVA_LONG, 24) == 0) {
            return -FakeFile.EFAULT;
        }
        if (!device.logging) {
            return -FakeFile.EINVAL;
        }
        TreeSet<Long> logged = new TreeSet<>(device.written);
        logged.removeIf(page -> device.loggedRanges.stream()
                .noneMatch(one -> one.iova() <= page * 4096 && page * 4096 < one.end()));
        device.written.removeAll(logged);
        mark(logged, iova, length, pageSize, pinnable(data.get(JAVA_LONG, 24)), Mappings.PAGE);
        device.written.addAll(logged);
        return 0;
    }

    /**
     * Marks what of a range was written, and clears that: a page of the IOMMU as a whole, from the place on that it was
     * looked at. Marks behind the range are made as far as the bitmap's memory is pinned.
     *
     * @param pages that were written, of 4096 bytes
     * @param iommuPage bytes that the IOMMU has one mark for
     */
    static void mark(TreeSet<Long> pages, long iova, long length, long pageSize, long address, long iommuPage) {
        for (Long page : List.copyOf(pages)) {
            long first = page * Mappings.PAGE & -iommuPage;
            long at = first + (iova & iommuPage - 1) - iova;
            if (at >= 0 && at < length) {
                pages.subSet(first / Mappings.PAGE, (first + iommuPage) / Mappings.PAGE).clear();
                long pinned = pinned(at / pageSize / 8, ((length - 1) / pageSize / 8) + 1);
                MemorySegment bitmap = memory(address, pinned);
                for (long bit = at / pageSize; bit * pageSize < at + iommuPage && bit / 8 < pinned; bit++) {
                    bitmap.set(JAVA_BYTE, bit / 8, (byte) (bitmap.get(JAVA_BYTE, bit / 8) | 1 << bit % 8));
                }
            }
        }
    }

    /** The address of a bitmap that the kernel marks in place, where it may mark behind it. */
    static long pinnable(long address) {
        if (address % Mappings.PAGE != 0) {
            throw new AssertionError("the kernel marks behind a bitmap that does not begin a page");
        }
        return address;
    }

    /** Where the memory ends, from the bitmap's begin on, that is pinned for a mark at a byte of the bitmap. */
    private static long pinned(long at, long bytes) {
        long pages = (bytes - at + Mappings.PAGE - 1) / Mappings.PAGE + (at % Mappings.PAGE == 0 ? 0 : 1);
        return (at / Mappings.PAGE + pages) * Mappings.PAGE;
    }

    /** The process's memory behind an address, as the kernel reaches it. */
    @SuppressWarnings("restricted")
    static MemorySegment memory(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }
}
