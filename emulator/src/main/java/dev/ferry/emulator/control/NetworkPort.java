// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.control;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/** The cable of one emulated network device. Thread-safe. */
@ProviderType
public interface NetworkPort {

    /** What became of a frame. */
    enum Delivery {
        /** It lies in the guest's memory, and the guest was told. */
        TAKEN,
        /** The receive modes, addresses or VLAN table of the device do not want it; it is gone. */
        FILTERED,
        /** The device is stopped, not set up, or has no buffer now: hold the frame and try again. */
        NOT_READY,
        /** Longer than any frame of this device; it is gone. */
        TOO_LONG
    }

    /**
     * Sends one Ethernet frame to the device.
     *
     * @param frame without frame check sequence, from position to limit, not changed; 14 to 65,550 bytes
     */
    Delivery deliver(ByteBuffer frame);

    /**
     * Connects whoever takes the frames that the device transmits; replaces the one before. Without one, frames are
     * transmitted and lost, as with an open cable.
     */
    void connect(FrameSink sink);

    /** Takes the frames that a device transmits. */
    @ConsumerType
    @FunctionalInterface
    interface FrameSink {
        /**
         * One Ethernet frame left the device. Called while the device holds its lock, on the thread that notified the
         * queue: must not call into any function or port, and must not block.
         *
         * @param frame from position to limit, valid only during the call, since it may be guest memory
         */
        void transmitted(ByteBuffer frame);
    }
}
