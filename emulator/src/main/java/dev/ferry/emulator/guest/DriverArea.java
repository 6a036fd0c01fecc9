// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import java.io.IOException;

/**
 * Where the driver keeps what it knows: some pages at the beginning of guest memory, so that it moves with the memory.
 *
 * <table>
 *   <caption>Layout, little-endian</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>8</td><td>magic, written last: the driver is set up</td></tr>
 *   <tr><td>8</td><td>4</td><td>version of this layout</td></tr>
 *   <tr><td>12</td><td>4</td><td>queue pairs in use</td></tr>
 *   <tr><td>16</td><td>8</td><td>negotiated features</td></tr>
 *   <tr><td>24</td><td>4+4</td><td>BAR and offset of the common configuration</td></tr>
 *   <tr><td>32</td><td>8</td><td>reserved</td></tr>
 *   <tr><td>40</td><td>4</td><td>bytes of one packet buffer</td></tr>
 *   <tr><td>44</td><td>4</td><td>whether there is a control queue</td></tr>
 *   <tr><td>48</td><td>8</td><td>frames forwarded</td></tr>
 *   <tr><td>56</td><td>8</td><td>address of the record of a {@link MemoryWriter}, 0 for none</td></tr>
 *   <tr><td>64</td><td>64 each</td><td>receive and transmit queue of each pair, then the control queue; see {@link
 *       DriverQueue}</td></tr>
 * </table>
 */
final class DriverArea {

    static final int MAX_PAIRS = 255;
    static final int BYTES = 8 * DriverQueue.PAGE_BYTES;

    private static final long MAGIC_VALUE = 0x3130_7465_6e2d_6f76L;
    private static final int VERSION_VALUE = 2;

    private static final int MAGIC = 0;
    private static final int VERSION = 8;
    private static final int PAIRS = 12;
    private static final int FEATURES = 16;
    private static final int COMMON_BAR = 24;
    private static final int COMMON_OFFSET = 28;
    private static final int BUFFER_BYTES = 40;
    private static final int CONTROL = 44;
    private static final int FORWARDED = 48;
    private static final int WRITER = 56;
    private static final int QUEUES = 64;

    private final GuestRam ram;
    private final long base;

    DriverArea(GuestRam ram) {
        this.ram = ram;
        this.base = ram.base();
    }

    /** Refuses a memory in which no driver was set up. */
    void check() throws IOException {
        if (ram.size() < BYTES || ram.u64(base + MAGIC) != MAGIC_VALUE) {
            throw new IOException("the guest memory holds no driver: it was not moved here, or only in part");
        }
        int version = ram.u32(base + VERSION);
        int pairs = pairs();
        if (version != VERSION_VALUE || pairs < 1 || pairs > MAX_PAIRS) {
            throw new IOException("the guest memory holds a driver of another kind: version " + version + ", "
                    + pairs + " queue pairs");
        }
    }

    /** The driver is being set up: whatever was here is void. */
    void invalidate() {
        ram.u64(base + MAGIC, 0);
    }

    /** The driver is set up. */
    void validate() {
        ram.u32(base + VERSION, VERSION_VALUE);
        ram.u64(base + MAGIC, MAGIC_VALUE);
    }

    int pairs() {
        return ram.u32(base + PAIRS);
    }

    void pairs(int pairs) {
        ram.u32(base + PAIRS, pairs);
    }

    long features() {
        return ram.u64(base + FEATURES);
    }

    void features(long features) {
        ram.u64(base + FEATURES, features);
    }

    BarRegion common() {
        return new BarRegion(ram.u32(base + COMMON_BAR), Integer.toUnsignedLong(ram.u32(base + COMMON_OFFSET)));
    }

    void common(BarRegion common) {
        ram.u32(base + COMMON_BAR, common.bar());
        ram.u32(base + COMMON_OFFSET, (int) common.offset());
    }

    int bufferBytes() {
        return ram.u32(base + BUFFER_BYTES);
    }

    void bufferBytes(int bytes) {
        ram.u32(base + BUFFER_BYTES, bytes);
    }

    boolean hasControlQueue() {
        return ram.u32(base + CONTROL) != 0;
    }

    void hasControlQueue(boolean present) {
        ram.u32(base + CONTROL, present ? 1 : 0);
    }

    long forwarded() {
        return ram.u64(base + FORWARDED);
    }

    void forwarded(long frames) {
        ram.u64(base + FORWARDED, frames);
    }

    /** Address of the record of the program that writes memory; 0 for none. */
    long writer() {
        return ram.u64(base + WRITER);
    }

    void writer(long record) {
        ram.u64(base + WRITER, record);
    }

    /** Address of the record of a pair's receive queue. */
    long receiveQueue(int pair) {
        return base + QUEUES + 2L * pair * DriverQueue.RECORD_BYTES;
    }

    /** Address of the record of a pair's transmit queue. */
    long transmitQueue(int pair) {
        return receiveQueue(pair) + DriverQueue.RECORD_BYTES;
    }

    /** Address of the record of the control queue. */
    long controlQueue() {
        return receiveQueue(pairs());
    }
}
