// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.virtio.driver.VendorOpcodes;
import dev.ferry.virtio.driver.command.CommandTimeout;

/** Everything that is configured, as it is now. Thread-safe. */
record ProviderSettings(CommandTimeout timeout, ObjectWait objectWait, VendorOpcodes vendorOpcodes) {

    /** The defaults. */
    ProviderSettings() {
        this(
                new CommandTimeout(ProviderConfiguration.PID),
                new ObjectWait(),
                new VendorOpcodes(ProviderConfiguration.PID));
    }

    /** Takes a configuration; each value that is not valid is logged and stays as it was. */
    void configure(ProviderConfiguration configuration) {
        timeout.configure(configuration::command_timeout_millis);
        objectWait.configure(configuration::object_wait_millis);
        vendorOpcodes.configure(configuration::vendor_opcodes);
    }
}
