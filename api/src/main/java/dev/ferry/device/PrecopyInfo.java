// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

/**
 * How much a saving session has to read while its device runs; {@code struct vfio_precopy_info} of the kernel header.
 *
 * <p>Neither number promises anything about the amount in STOP_COPY.
 *
 * @param initialBytes bytes of the initial state not yet read; at 0 the part that shortens the switchover was delivered
 * @param dirtyBytes bytes changed since what was read
 * @param reinitialized new initial data are in the stream: {@code initialBytes} runs to 0 again ({@code
 *     VFIO_PRECOPY_INFO_REINIT})
 */
public record PrecopyInfo(long initialBytes, long dirtyBytes, boolean reinitialized) {

    /** Refuses negative sizes. */
    public PrecopyInfo {
        if (initialBytes < 0 || dirtyBytes < 0) {
            throw new IllegalArgumentException(
                    "pre-copy sizes must not be negative: " + initialBytes + ", " + dirtyBytes);
        }
    }

    /** What there is to read in all; {@link Long#MAX_VALUE} when that is more than can be told. */
    public long totalBytes() {
        return dirtyBytes > Long.MAX_VALUE - initialBytes ? Long.MAX_VALUE : initialBytes + dirtyBytes;
    }
}
