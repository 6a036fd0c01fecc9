// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bundle stops while the kernel takes long to open the first of several devices. */
@Timeout(120)
class StopWhileOpeningTest extends BackendFixture {
    private final List<String> opened = new CopyOnWriteArrayList<>();
    private final List<String> served = new CopyOnWriteArrayList<>();
    private final CountDownLatch entered = new CountDownLatch(1);
    private final CountDownLatch letGo = new CountDownLatch(1);

    private Object openSlowly(String path) {
        opened.add(path);
        entered.countDown();
        try {
            assertThat(letGo.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return null;
    }

    @Test
    void shouldNeitherOpenNorServeAnotherDevice() throws Exception {
        DeviceServices services = new DeviceServices(() -> new DriverFactory(calls, folder), (driver, properties) -> {
            served.add((String) properties.get("ferry.device.id"));
            return () -> {};
        }, "host9");
        instead.put("open", arguments -> openSlowly((String) arguments[0]));
        List<FoundDevice> found = new DeviceFinder(folder).find(Set.of());
        BackendSettings wanted = BackendSettings.of(Configured.with(Map.of("devices", new String[] {VF, MDEV})));
        Thread looking = new Thread(() -> services.update(found, wanted));
        looking.start();
        assertThat(entered.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();

        services.close();
        letGo.countDown();
        looking.join(PATIENCE_MILLIS);

        assertThat(looking.isAlive()).isFalse();
        assertThat(opened).filteredOn(path -> path.endsWith("/12") || path.endsWith("/13")).hasSize(1);
        assertThat(served).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
    }
}
