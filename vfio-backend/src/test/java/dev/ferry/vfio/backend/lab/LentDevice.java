// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.vfio.backend.internal.device.Region;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.handover.HandoverClient;
import java.nio.file.Path;

/** A device that this program has opened by a VMM's calls, not by our driver's, and lends to another program. */
final class LentDevice implements AutoCloseable {
    private final HostDevices devices;
    private final VmmDevice owned;
    private HandoverClient connection;

    LentDevice(HostDevices devices, String name) throws Exception {
        this.devices = devices;
        this.owned = new VmmDevice(devices, name);
    }

    String name() {
        return owned.name();
    }

    /** The device, for its owner; not to be closed. */
    VfioDevice device() {
        return owned.device();
    }

    /** Region 0 of it. */
    Region registers() throws Exception {
        return device().region(0);
    }

    /** Lends it on a connection of its own; gives the answer. */
    String lend(Path socket) {
        return lendAs(socket, name());
    }

    /** Lends it under another device's name. */
    String lendAs(Path socket, String other) {
        end();
        connection = new HandoverClient(devices.calls(), socket);
        return connection.ask("ferry-vfio 1 lend " + other + owned.beside(), owned.descriptors());
    }

    /** Wants it back; gives the answer, behind which nobody uses it. */
    String takeBack() {
        return connection.ask("ferry-vfio 1 return");
    }

    private void end() {
        if (connection != null) {
            connection.close();
            connection = null;
        }
    }

    @Override
    public void close() {
        end();
        owned.close();
    }
}
