// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeKernel;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The matrix of states that a kernel with mtty was found to have: the fake kernel has the same. */
class FeatureMatrixTest {
    private static final int EINVAL = 22;

    private final FakeKernel kernel = new FakeKernel();
    private final FakeDevice fake = new FakeDevice(kernel);
    private final VfioDevice device = new VfioDevice(kernel, new Descriptor(kernel, kernel.install(fake)), "dev0");

    @ParameterizedTest
    @CsvSource({
        "STOP, 1-5 1-5-2 1-3 1-4 1-5-2-6 1-5-7",
        "RUNNING, 2-5 2-5-1 2-5-1-3 2-5-1-4 2-6 2-5-7",
        "RUNNING_P2P, 5-1 5-2 5-1-3 5-1-4 5-2-6 5-7",
        "PRE_COPY, 6-2-5 6-2 6-7 6-7-3 6-2-5-1 6-2-5-1-4",
        "PRE_COPY_P2P, 7-5 7-5-2 7-3 7-5-1 7-5-1-4 7-6",
        "STOP_COPY, 3-1 3-1-5-2 3-1-4 3-1-5"
    })
    void shouldWalkEveryWayOfTheMatrix(DeviceState from, String ways) throws Exception {
        for (String way : ways.split(" ")) {
            List<Integer> states = List.of(way.split("-")).stream().map(Integer::valueOf).toList();
            DeviceState target = DeviceState.ofNumber(states.get(states.size() - 1)).orElseThrow();
            fake.reset();
            close(device.setState(from));
            fake.steps.clear();

            VfioDevice.StateSet set = device.setState(target);

            assertThat(set.error()).isZero();
            assertThat(String.join(" ", fake.steps)).isEqualTo(steps(states));
            boolean opens = target.hasSession() && !(from.isSaving() && target.isSaving());
            assertThat(set.dataFd() >= 0).as(way).isEqualTo(opens);
            close(set);
            assertThat(device.setState(target)).isEqualTo(new VfioDevice.StateSet(0, -1));
        }
    }

    private void close(VfioDevice.StateSet set) {
        if (set.dataFd() >= 0) {
            kernel.close(set.dataFd());
        }
    }

    private static String steps(List<Integer> states) {
        StringBuilder steps = new StringBuilder();
        for (int i = 1; i < states.size(); i++) {
            steps.append(i == 1 ? "" : " ").append(states.get(i - 1)).append('-').append(states.get(i));
        }
        return steps.toString();
    }

    @ParameterizedTest
    @CsvSource({"STOP_COPY, PRE_COPY", "STOP_COPY, PRE_COPY_P2P", "STOP_COPY, ERROR", "RUNNING, ERROR",
        "RESUMING, STOP",
        "RESUMING, RUNNING", "RESUMING, STOP_COPY"})
    void shouldRefuseWhatTheKernelRefuses(DeviceState from, DeviceState to) throws Exception {
        close(device.setState(from));

        assertThat(device.setState(to)).isEqualTo(new VfioDevice.StateSet(EINVAL, -1));
        assertThat(device.state()).isEqualTo(from);
    }
}
