// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** An owner device that can reset its members, too; a reset is kept among the commands. */
final class FakeResettableQueue extends FakeAdminQueue implements FunctionReset {

    final List<Long> resets = new CopyOnWriteArrayList<>();
    DeviceException resetFails;

    @Override
    public void resetFunction(long groupMemberId) throws DeviceException {
        commands.add("FLR " + groupMemberId);
        if (resetFails != null) {
            throw resetFails;
        }
        resets.add(groupMemberId);
    }
}
