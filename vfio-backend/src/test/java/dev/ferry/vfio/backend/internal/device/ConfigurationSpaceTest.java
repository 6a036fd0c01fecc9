// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The configuration space in the saved state: what is refused of it, by this program and by the kernel. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConfigurationSpaceTest extends DriverFixture {
    private static final int ENODEV = 19;

    @ParameterizedTest
    @ValueSource(ints = {0, 63, 4097})
    void shouldNotDriveADeviceWithAConfigurationSpaceOfNoSuchSize(int bytes) {
        fake.config = new byte[bytes];

        assertThat(assertErrno(Errno.EINVAL, this::reopen)).hasMessageContaining(bytes + " bytes");
    }

    @Test
    void shouldEndTheSessionWhenTheConfigurationSpaceCannotBeRead() throws Exception {
        for (boolean ends : new boolean[] {false, true}) {
            SavingSession session = stopCopy();
            assertThat(session.read(ByteBuffer.allocate(100))).isEqualTo(32);
            kernel.refuse(Request.REGION_READ, ends ? 0 : ENODEV);
            fake.shortRegion = ends ? 0 : 4;

            assertThat(assertErrno(ends ? Errno.EIO : Errno.ENODEV, () -> session.read(ByteBuffer.allocate(100))))
                    .hasMessageContaining("pread of a region at 0x0");

            kernel.refuse(Request.REGION_READ, 0);
            fake.shortRegion = 4;
            assertErrno(Errno.EIO, () -> session.read(ByteBuffer.allocate(100)));
            driver.reset();
        }
    }

    @Test
    void shouldRefuseAStateWhoseConfigurationSpaceCannotBeWritten() throws Exception {
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(512));
        driver.reset();
        for (boolean ends : new boolean[] {false, true}) {
            ResumingSession session = resuming();
            kernel.refuse(Request.REGION_WRITE, ends ? 0 : ENODEV);
            fake.noRegionWrites = ends;

            assertThat(assertErrno(ends ? Errno.EIO : Errno.ENODEV, () -> session.write(ByteBuffer.wrap(state))))
                    .hasMessageContaining("pwrite of a region at 0x");

            kernel.refuse(Request.REGION_WRITE, 0);
            fake.noRegionWrites = false;
            assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP));
            driver.reset();
        }
    }

    @Test
    void shouldMoveRegionsHoweverFewBytesAtATime() throws Exception {
        fake.config[0x13] = 0x7A;
        fake.shortRegion = 1;
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(512));
        driver.reset();
        fake.config[0x13] = 0;

        resuming().write(ByteBuffer.wrap(state));
        walk(RESUMING_TO_STOP);

        assertThat(fake.config[0x13]).isEqualTo((byte) 0x7A);
    }

    /** The class code is in bytes 9 to 11; byte 8, the revision, may differ. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 9, 10, 11})
    void shouldRefuseTheConfigurationOfAnotherKindOfDevice(int at) throws Exception {
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(512));
        driver.reset();
        fake.config[at] ^= 0x40;
        fake.steps.clear();

        ResumingSession session = resuming();

        assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.wrap(state)));
        assertThat(fake.steps).noneMatch(step -> step.startsWith("config"));
    }

    @Test
    void shouldRefuseAConfigurationOfAnotherLength() throws Exception {
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(512));
        driver.reset();
        byte[] longer = new byte[4096];
        System.arraycopy(fake.config, 0, longer, 0, 256);
        fake.config = longer;
        reopen();
        fake.steps.clear();

        ResumingSession session = resuming();

        assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.wrap(state)));
        assertThat(fake.steps).noneMatch(step -> step.startsWith("config"));
        assertThat(driver.state()).isEqualTo(DeviceState.RESUMING);
    }
}
