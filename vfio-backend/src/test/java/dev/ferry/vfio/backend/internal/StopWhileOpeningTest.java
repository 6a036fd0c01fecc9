// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bundle stops while the kernel takes long to open the first of several devices. */
@Timeout(120)
class StopWhileOpeningTest extends DeviceServicesFixture {
    private static final long PATIENCE_SECONDS = 60;

    private final List<String> opened = new CopyOnWriteArrayList<>();

    private void openSlowly(String path) {
        opened.add(path);
        entered.countDown();
        assertThatCode(() -> letGo.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).doesNotThrowAnyException();
    }

    @Test
    void shouldNeitherOpenNorServeAnotherDevice() throws Exception {
        waitNoLongerThan(DeviceServices.WAIT_MILLIS);
        before.put("open", arguments -> openSlowly((String) arguments[0]));
        Thread looking = new Thread(() -> assertThatCode(() -> update(VF, MDEV)).doesNotThrowAnyException());
        looking.start();
        assertThat(entered.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();

        services.close();
        letGo.countDown();
        looking.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));

        assertThat(looking.isAlive()).isFalse();
        assertThat(opened).filteredOn(path -> path.endsWith("/12") || path.endsWith("/13")).hasSize(1);
        assertThat(drivers).as("ever served").isEmpty();
    }
}
