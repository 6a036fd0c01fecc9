// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import java.util.List;
import org.junit.jupiter.api.Test;

class DrivenTest extends BackendFixture {

    @Test
    void shouldCloseTheDeviceThoughItsDriverDoesNotCloseInOrder() throws Exception {
        DriverFactory.Driven driven = new DriverFactory(calls, folder).open(host.found(MDEV), MDEV,
                DeviceOpener.Way.AUTO, List.of(DirtyTracking.Way.DEVICE), () -> 50);
        driven.driver().dirtyTracker().orElseThrow().start(4096, List.of(new IovaRange(0, 4096)));
        instead.put("ioctl", arguments -> {
            throw new InternalError("told to fail");
        });

        assertThatExceptionOfType(InternalError.class).isThrownBy(driven::close);

        assertThat(host.kernel.openFiles()).isZero();
    }
}
