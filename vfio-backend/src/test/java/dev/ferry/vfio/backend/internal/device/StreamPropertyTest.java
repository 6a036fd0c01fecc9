// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.ferry.device.DeviceException;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeKernel;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class StreamPropertyTest {

    /** A device of its own, in the state where a session is open. */
    private record Rig(FakeDevice fake, VfioDriver driver) {
        static Rig make() throws DeviceException {
            FakeKernel kernel = new FakeKernel();
            FakeDevice fake = new FakeDevice(kernel);
            VfioDevice device = new VfioDevice(kernel, new Descriptor(kernel, kernel.install(fake)), "dev0");
            return new Rig(fake, new VfioDriver(device, Abilities.of(device), Optional.empty(), () -> 60_000));
        }

        Object open(Arc last) throws DeviceException {
            driver.step(Arc.RUNNING_TO_RUNNING_P2P);
            driver.step(Arc.RUNNING_P2P_TO_STOP);
            return driver.step(last).orElseThrow();
        }
    }

    @Property(tries = 200)
    void shouldMoveAnyStateInAnySegmentation(
            @ForAll @Size(max = 200) byte[] content,
            @ForAll @Size(min = 1, max = 8) List<@IntRange(min = 1, max = 40) Integer> reads,
            @ForAll @Size(min = 1, max = 8) List<@IntRange(min = 1, max = 40) Integer> writes,
            @ForAll @IntRange(min = 1, max = 300) int shortTransfer,
            @ForAll boolean direct)
            throws IOException {
        Rig source = Rig.make();
        source.fake.content = content;
        source.fake.shortRead = shortTransfer;
        byte[] state = read((SavingSession) source.open(Arc.STOP_TO_STOP_COPY), reads);
        Rig destination = Rig.make();
        destination.fake.shortRead = shortTransfer;
        ResumingSession session = (ResumingSession) destination.open(Arc.STOP_TO_RESUMING);

        for (int at = 0, i = 0; at < state.length; i++) {
            int count = Math.min(writes.get(i % writes.size()), state.length - at);
            ByteBuffer piece = direct ? ByteBuffer.allocateDirect(count) : ByteBuffer.allocate(count);
            session.write(piece.put(state, at, count).flip());
            at += count;
        }
        destination.driver.step(Arc.RESUMING_TO_STOP);

        assertThat(destination.fake.content).isEqualTo(content);
        source.driver.close();
        destination.driver.close();
    }

    private static byte[] read(SavingSession session, List<Integer> sizes) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int i = 0;
        ByteBuffer buffer = ByteBuffer.allocate(sizes.get(0));
        while (session.read(buffer) >= 0) {
            all.write(buffer.array(), 0, buffer.position());
            buffer = ByteBuffer.allocate(sizes.get(++i % sizes.size()));
        }
        return all.toByteArray();
    }

    @Property(tries = 500)
    void shouldEndInANamedErrorForDamagedStates(
            @ForAll @IntRange(min = 0, max = 319) int at, @ForAll @IntRange(min = 1, max = 255) int flip)
            throws IOException {
        Rig source = Rig.make();
        byte[] state = read((SavingSession) source.open(Arc.STOP_TO_STOP_COPY), List.of(64));
        boolean inHeader = isInHeader(state, at % state.length);
        state[at % state.length] ^= (byte) flip;
        Rig destination = Rig.make();
        ResumingSession session = (ResumingSession) destination.open(Arc.STOP_TO_RESUMING);

        Throwable refusal = catchThrowable(() -> {
            session.write(ByteBuffer.wrap(state));
            destination.driver.step(Arc.RESUMING_TO_STOP);
        });

        if (inHeader || refusal != null) {
            assertThat(refusal).isInstanceOf(DeviceException.class).hasMessageContaining("dev0");
            assertThat(destination.driver.state()).isEqualTo(DeviceState.RESUMING);
        } else {
            assertThat(destination.driver.state()).as("taken").isEqualTo(DeviceState.STOP);
        }
        destination.driver.reset();
        source.driver.close();
        destination.driver.close();
    }

    /** Records have a header of 16 bytes, which tells in its second half how many bytes follow. */
    private static boolean isInHeader(byte[] state, int at) {
        int header = 0;
        while (header + 16 <= at) {
            int next = header + 16 + (int) ByteBuffer.wrap(state).getLong(header + 8);
            if (at < next) {
                return false;
            }
            header = next;
        }
        return true;
    }
}
