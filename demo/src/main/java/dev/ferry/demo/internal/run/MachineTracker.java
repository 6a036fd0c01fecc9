// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The writes of all processors of a machine, each of which tracks those to its own bank of memory. */
final class MachineTracker implements DirtyTracker {

    /** One processor's tracker and the bank that it writes. */
    record Bank(IovaRange range, DirtyTracker tracker) {}

    private final List<Bank> banks;
    private long pageSize;

    MachineTracker(List<Bank> banks) {
        this.banks = List.copyOf(banks);
    }

    @Override
    public Capabilities capabilities() {
        long sizes = -1;
        int ranges = Integer.MAX_VALUE;
        boolean exact = true;
        for (Bank bank : banks) {
            Capabilities each = bank.tracker().capabilities();
            sizes &= each.pageSizes();
            ranges = Math.min(ranges, each.maxRanges());
            exact &= each.exact();
        }
        return new Capabilities(banks.get(0).tracker().capabilities().mechanism(), sizes, ranges, exact);
    }

    @Override
    public void start(long size, List<IovaRange> ranges) throws DeviceException {
        List<Bank> begun = new ArrayList<>();
        try {
            for (Bank bank : banks) {
                bank.tracker().start(size, within(bank.range(), ranges));
                begun.add(bank);
            }
        } catch (DeviceException e) {
            // Not the others: one that is busy goes on.
            stopAfter(e, begun);
            throw e;
        }
        pageSize = size;
    }

    private static void stopAfter(DeviceException first, List<Bank> begun) {
        try {
            stop(begun);
        } catch (DeviceException e) {
            first.addSuppressed(e);
        }
    }

    private static List<IovaRange> within(IovaRange bank, List<IovaRange> ranges) {
        List<IovaRange> inside = new ArrayList<>();
        for (IovaRange range : ranges) {
            long from = Math.max(bank.iova(), range.iova());
            long to = Math.min(bank.end(), range.end());
            if (from < to) {
                inside.add(new IovaRange(from, to - from));
            }
        }
        return inside;
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        for (Bank bank : banks) {
            for (IovaRange part : within(bank.range(), List.of(range))) {
                long pages = (part.length() + pageSize - 1) / pageSize;
                ByteBuffer bits = ByteBuffer.allocate((int) ((pages + Long.SIZE - 1) / Long.SIZE) * Long.BYTES);
                bank.tracker().reportAndClear(part, bits.order(ByteOrder.LITTLE_ENDIAN));
                copy(bits, bitmap, (part.iova() - range.iova()) / pageSize);
            }
        }
    }

    // Banks need not begin at a byte of the bitmap.
    private static void copy(ByteBuffer bits, ByteBuffer bitmap, long firstPage) {
        for (int word = 0; word < bits.capacity() / Long.BYTES; word++) {
            for (long left = bits.getLong(word * Long.BYTES); left != 0; left &= left - 1) {
                long page = firstPage + (long) word * Long.SIZE + Long.numberOfTrailingZeros(left);
                int at = bitmap.position() + (int) (page / Byte.SIZE);
                bitmap.put(at, (byte) (bitmap.get(at) | 1 << page % Byte.SIZE));
            }
        }
    }

    @Override
    public void stop() throws DeviceException {
        stop(banks);
    }

    private static void stop(List<Bank> banks) throws DeviceException {
        DeviceException failed = null;
        for (Bank bank : banks) {
            try {
                bank.tracker().stop();
            } catch (DeviceException e) {
                failed = failed == null ? e : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
