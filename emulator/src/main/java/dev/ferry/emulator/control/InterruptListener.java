// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.control;

import org.osgi.annotation.versioning.ConsumerType;

/** Takes the interrupts of one function. */
@ConsumerType
@FunctionalInterface
public interface InterruptListener {

    /**
     * An MSI-X message was sent. Called without any lock of the function, on the thread that caused it; may call into
     * the function, should be short. That thread may be one that executes an admin command, with the locks of the owner
     * device: must not wait for another thread that uses the owner device.
     *
     * @param vector number of the table entry
     * @param address of the message, as the driver programmed it
     * @param data of the message, as the driver programmed it
     */
    void messageSignalled(int vector, long address, int data);
}
