// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The devices of the host are looked at, whatever is configured and whatever goes wrong. */
@Timeout(120)
class LookingTest extends BackendFixture {

    @AfterEach
    void shouldLeaveNothing() {
        backend.deactivate();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
    }

    @Test
    void shouldListEveryDeviceWhenTheFirstConfigurationIsInvalid() {
        configure(Map.of("devices", new String[] {"eth0"}));

        assertThat(registered).containsOnlyKeys("host9/" + VF, "host9/" + MDEV);
        assertThat(property(VF, "ferry.not.migratable")).asString().startsWith("it is not open: add it to the list");
        assertThat(host.kernel.log).isEmpty();

        configure(Map.of("devices", new String[] {VF}));
        assertThat(property(VF, "ferry.vfio.access")).asString().startsWith("group 12");
    }

    @Test
    void shouldGoOnLookingBehindAnError() throws Exception {
        CountDownLatch failed = new CountDownLatch(3);
        instead.put("open", arguments -> {
            failed.countDown();
            throw new OutOfMemoryError("told to fail");
        });
        configure(Map.of("devices", new String[] {MDEV}, "rescan_seconds", "1"));
        assertThat(failed.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).as("tried again").isTrue();

        instead.remove("open");

        await("+host9/" + MDEV);
        while (property(MDEV, "ferry.vfio.access") == null) {
            await("+host9/" + MDEV);
        }
    }
}
