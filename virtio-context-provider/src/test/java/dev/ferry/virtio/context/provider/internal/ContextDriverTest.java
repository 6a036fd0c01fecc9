// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import static dev.ferry.fsm.Arc.*;
import static dev.ferry.virtio.context.provider.internal.FakeContextQueue.OK;
import static dev.ferry.virtio.context.provider.internal.FakeContextQueue.command;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.virtio.driver.OtherCommandSetException;
import dev.ferry.virtio.driver.VendorOpcodes;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.CommandTimeout;
import dev.ferry.virtio.driver.command.SystemClock;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The arcs as commands, from byte layouts. */
class ContextDriverTest {

    private static final String ACTIVE = command(0x0108, "0000000000000000");
    private static final String STOP = command(0x0108, "0100000000000000");
    private static final String FREEZE = command(0x0108, "0200000000000000");
    private static final String SIZE = command(0x0109, "0100000000000000");
    private static final String READ = command(0x010a, "");
    private static final String DISCARD = command(0x010d, "");

    private final FakeContextQueue queue = new FakeContextQueue();
    private final CommandTimeout timeout = new CommandTimeout("test");
    private final VendorOpcodes vendorOpcodes = new VendorOpcodes("test");
    private final PlainFormat format = new PlainFormat();
    private ContextDriver driver;

    @BeforeEach
    void setUp() throws Exception {
        timeout.configure(() -> CommandTimeout.LEAST_MILLIS);
        driver = new ContextDriver("host1/pf0/vf3", owner(), 3, format, timeout, System::nanoTime);
        queue.commands.clear();
    }

    private ContextOwner owner() throws DeviceException {
        return owner(new AdminChannel("host1/pf0", queue, timeout, new SystemClock()));
    }

    private ContextOwner owner(AdminChannel channel) throws DeviceException {
        return new ContextSetup("host1/pf0", queue, channel, vendorOpcodes, () -> false).run();
    }

    private void walk(Arc... arcs) throws DeviceException {
        for (Arc arc : arcs) {
            driver.step(arc);
        }
    }

    private void load(byte[] context) throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        ((ResumingSession) driver.step(STOP_TO_RESUMING).orElseThrow()).write(ByteBuffer.wrap(context));
    }

    // --- set-up

    @Test
    void shouldUseListCommandsAndTheWholeSet() throws Exception {
        owner();

        assertThat(queue.commands.get(0)).isEqualTo("00000100" + "00".repeat(20));
        assertThat(queue.commands.get(1))
                .isEqualTo("01000100" + "00".repeat(20) + queue.list.replace(" ", ""));
    }

    @Test
    void shouldPutTheLegacyCommandsInUseForOthersButNoneOfDeviceParts() throws Exception {
        queue.list = "ffff010000000000 0000000000000000 0000000000000000 0000000000000000 80ff030000000000";

        owner();

        assertThat(queue.commands.get(1)).isEqualTo("01000100" + "00".repeat(20) + "7f00000000000000" + "00".repeat(24)
                + "80ff030000000000");
    }

    @Test
    void shouldTellAnOwnerNothingThatSpeaksAnotherSet() {
        queue.list = "ffff030000000000";

        assertThatExceptionOfType(OtherCommandSetException.class).isThrownBy(this::owner);
        assertThat(queue.commands).hasSize(1);
    }

    @Test
    void shouldRefuseAnOwnerThatHasOnlyAPartOfTheSet() {
        queue.list = "0300000000000000 0000000000000000 0000000000000000 0000000000000000 8003000000000000";

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(this::owner)
                .withMessageContaining("V1_DEV_CTX_READ")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
    }

    @Test
    void shouldDoWithoutWriteRecords() throws Exception {
        queue.list = "0300000000000000 0000000000000000 0000000000000000 0000000000000000 803f000000000000";

        assertThat(new ContextDriver("x", owner(), 3, format, timeout, System::nanoTime).dirtyTracker()).isEmpty();
    }

    @Test
    void shouldNotChangeTheListWhileACommandFromBeforeIsWithTheDevice() {
        AdminChannel channel = new AdminChannel("host1/pf0", queue, timeout, new SystemClock());
        queue.hangs = 0x010e;
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> owner(channel))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
        queue.hangs = -1;
        queue.commands.clear();

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> owner(channel))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));

        assertThat(queue.commands).as("LIST_QUERY alone").containsExactly("00000100" + "00".repeat(20));
    }

    // --- arcs

    @Test
    void shouldMakeEachStateAMode() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RUNNING_P2P, RUNNING_P2P_TO_RUNNING);

        assertThat(queue.commands).containsExactly(STOP, FREEZE, STOP, ACTIVE);
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldReadAWholeContextWhenSaving() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        queue.commands.clear();
        SavingSession session = (SavingSession) driver.step(STOP_TO_STOP_COPY).orElseThrow();
        ByteBuffer into = ByteBuffer.allocate(100);
        session.read(into);

        assertThat(into.flip()).isEqualTo(ByteBuffer.wrap(queue.context));
        assertThat(format.device.imageTag()).isEqualTo(1);
        assertThat(queue.commands).containsExactly(SIZE, READ, READ);
        driver.step(STOP_COPY_TO_STOP);
        assertThat(queue.commands).as("nothing was left to discard").hasSize(3);
    }

    @Test
    void shouldFreezeBeforeTheFinalContextOfAPreCopy() throws Exception {
        walk(RUNNING_TO_PRE_COPY, PRE_COPY_TO_PRE_COPY_P2P);
        queue.commands.clear();

        walk(PRE_COPY_P2P_TO_STOP_COPY);

        assertThat(queue.commands).containsExactly(FREEZE, SIZE, READ, READ);
    }

    @Test
    void shouldBeQuiescedAgainWhenTheFinalContextCannotBeHad() throws Exception {
        walk(RUNNING_TO_PRE_COPY, PRE_COPY_TO_PRE_COPY_P2P);
        queue.commands.clear();
        queue.answer(0x010a, "1600 0100 00000000");

        assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));

        assertThat(queue.commands).containsExactly(FREEZE, SIZE, READ, STOP);
        assertThat(driver.state()).isEqualTo(DeviceState.PRE_COPY_P2P);
        driver.step(PRE_COPY_P2P_TO_RUNNING_P2P);
        assertThat(queue.commands).last().isEqualTo(DISCARD);
    }

    @Test
    void shouldWriteTheContextAndKeepItUntilFreezeIsLeft() throws Exception {
        load(queue.context);
        walk(RESUMING_TO_STOP, STOP_TO_RUNNING_P2P);

        String write = command(0x010b, "") + HexFormat.of().formatHex(queue.context);
        assertThat(queue.commands).containsExactly(STOP, FREEZE, DISCARD, write, STOP);
    }

    @Test
    void shouldNotDropALoadedContextWhenItsSizeIsAskedFor() throws Exception {
        load(queue.context);
        walk(RESUMING_TO_STOP);
        queue.commands.clear();

        assertThat(driver.stopCopySize()).isEqualTo(64);

        assertThat(queue.commands).containsExactly(SIZE);
    }

    @Test
    void shouldTakeALoadedContextBeforeItIsSavedAgain() throws Exception {
        load(queue.context);
        walk(RESUMING_TO_STOP);
        queue.commands.clear();

        driver.step(STOP_TO_STOP_COPY);

        assertThat(queue.commands).containsExactly(STOP, FREEZE, SIZE, READ, READ);
    }

    @Test
    void shouldRefuseAContextWithoutEndBeforeTheDeviceSeesIt() {
        byte[] cut = Arrays.copyOf(queue.context, 16);

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> load(cut))
                .withMessageContaining("END")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThat(queue.commands).containsExactly(STOP, FREEZE, DISCARD);
        assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> driver.step(RESUMING_TO_STOP));
    }

    @Test
    void shouldNameTheFieldThatTheDeviceRefuses() throws Exception {
        load(queue.context);
        walk(RESUMING_TO_STOP);
        queue.answer(0x0108, "1600 0300 2000 0500");

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> driver.step(STOP_TO_RUNNING_P2P))
                .withMessageContaining("its field VQ_CFG of queue 5");

        assertThat(driver.state()).isEqualTo(DeviceState.STOP);
    }

    @Test
    void shouldRunNothingOldAfterAReset() throws Exception {
        load(queue.context);
        queue.commands.clear();

        driver.reset();

        assertThat(queue.commands).containsExactly("reset", DISCARD, ACTIVE);
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldRefuseADeviceThatGivesMoreThanItSaid() {
        queue.answer(0x0109, OK + "1000000000000000");

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> driver.step(RUNNING_TO_PRE_COPY))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOVERFLOW));
        assertThat(queue.commands).last().isEqualTo(DISCARD);
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldRefuseAnOutputBeyondWhatWasWritten() {
        queue.answer(0x010a, "0000 0000 30000000 0102");

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> driver.step(RUNNING_TO_PRE_COPY))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
    }

    @Test
    void shouldWaitABoundedTimeForADeviceThatDoesNotAnswer() {
        queue.hangs = 0x010a;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> driver.step(RUNNING_TO_PRE_COPY))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldBeInErrorWhenNobodyKnowsTheMode() {
        queue.hangs = 0x0108;

        assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> driver.step(RUNNING_TO_RUNNING_P2P));

        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
    }

    @Test
    void shouldPutCommandsOfVendorsInUseThatAreReportedAndKnownAndTakeNoOthers() throws Exception {
        vendorOpcodes.configure(() -> new String[] {"0x12", "0x0100-0x0120"});
        // LIST_QUERY, LIST_USE, 0x12 and 0x13 in word 0.
        queue.list = "03000c0000000000 0000000000000000 0000000000000000 0000000000000000 80ff030000000000";
        driver = new ContextDriver("host1/pf0/vf3", owner(), 3, format, timeout, System::nanoTime);
        assertThat(queue.commands.get(1)).isEqualTo("01000100" + "00".repeat(20)
                + "0300040000000000" + "00".repeat(24) + "80ff030000000000");
        walk(Arc.RUNNING_TO_PRE_COPY);
        queue.commands.clear();

        format.device.execute(0x12, ByteBuffer.allocate(0), ByteBuffer.allocate(0));

        assertThat(queue.commands).containsExactly(command(0x12, ""));
        for (int opcode : new int[] {0x13, 0x0108, 0x0120}) {
            assertThatExceptionOfType(DeviceException.class)
                    .isThrownBy(() ->
                            format.device.execute(opcode, ByteBuffer.allocate(0), ByteBuffer.allocate(0)))
                    .withMessageContaining("vendor.opcodes of the configuration dev.ferry.virtio.context.provider")
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
        }
        assertThat(queue.commands).hasSize(1);
    }
}
