// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.member;

import java.nio.ByteBuffer;

/**
 * What an owner device does for its own PCI function: the function brings what its driver and the bus do, the owner
 * device knows the group. Called with the lock of the function held, which therefore comes before all locks of the
 * owner device and of its members.
 */
public interface OwnerSide {

    /** Of a function that owns no group. */
    OwnerSide NONE = new OwnerSide() {
        @Override
        public int execute(ByteBuffer[] readable, ByteBuffer[] writable) {
            throw new IllegalStateException("a function without a group has no admin virtqueue");
        }

        @Override
        public void reset() {}

        @Override
        public void setMembers(boolean enabled, int count) {}
    };

    /**
     * Executes an admin command; it is complete on return.
     *
     * @param readable the device-readable part; others may change it at any time
     * @param writable the device-writable part
     * @return the used length
     */
    int execute(ByteBuffer[] readable, ByteBuffer[] writable);

    /** The device was reset, by its driver or with its function. */
    void reset();

    /**
     * VF Enable or the number of VFs changed. VFs that are gone are pulled out for good; those that come are as after
     * power-on; those that stay are not touched.
     *
     * @param enabled VF Enable
     * @param count of VFs, 0 while not enabled
     */
    void setMembers(boolean enabled, int count);
}
