// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.virtio.driver.command.ConfiguredMillis;

/** How long a job may wait for a free device parts object, as configured now; 0 = not at all. Thread-safe. */
final class ObjectWait extends ConfiguredMillis {

    ObjectWait() {
        super(
                ProviderConfiguration.PID,
                "object.wait.millis",
                ProviderConfiguration.DEFAULT_OBJECT_WAIT_MILLIS,
                0,
                ProviderConfiguration.MOST_OBJECT_WAIT_MILLIS);
    }
}
