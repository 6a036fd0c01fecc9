// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the legacy interface, packed virtqueues, the device context and VF Enable mean for each other. */
class FeatureCombinationsTest {

    private static final String INVALID_OPCODE = "1600 0200 00000000";
    private static final String RECORD_RANGE = "0010000000000000 01000000 00000000 0000000000000000"
            + "0000010000000000 0000010000000000";
    private static final int BAR = 2;
    private static final int DEVICE_STATUS = 20;
    private static final int QUEUE_SELECT = 22;
    private static final int LEGACY_NOTIFY = 0x3800;
    private static final long RING_PACKED = 1L << 34;
    private static final long MEMORY_BASE = 0x10_0000;

    private final ContextBench context = ContextBench.ready();

    private enum End {
        OWNER_STATUS,
        OWNER_FUNCTION_LEVEL,
        VF_ENABLE,
        RESIZE
    }

    private PciFunction member() {
        PciFunction function = context.owner.function(1);
        function.writeConfig(4, 2, 6);
        return function;
    }

    /** Ends what goes on with member 1; afterwards there is a member 1 again and all commands are in use. */
    private void perform(End end) {
        OwnerDriver driver = new OwnerDriver(context.owner.ownerFunction());
        switch (end) {
            case OWNER_STATUS -> driver.write(DEVICE_STATUS, 1, 0);
            case OWNER_FUNCTION_LEVEL -> {
                driver.functionLevelReset();
                driver.enableVfs(2);
            }
            case VF_ENABLE -> {
                driver.disableVfs();
                driver.enableVfs(2);
            }
            case RESIZE -> {
                context.owner.resize(0);
                context.owner.resize(2);
            }
        }
        context.expectOk(ContextBench.USE_ALL);
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndFreezeStagedContextSnapshotAndWriteRecords(End end) {
        PciFunction before = member();
        byte[] other = context.read();
        before.writeBar(BAR, QUEUE_SELECT, 2, 1);
        context.member(ContextBench.READ, "", 16);
        context.mode(ContextBench.FREEZE);
        assertThat(context.write(Arrays.copyOf(other, 40))).isEqualTo(plain(ContextBench.OK));
        assertThat(context.member(ContextBench.RECORD_START, RECORD_RANGE, 8)).startsWith(plain(ContextBench.OK));

        perform(end);

        assertThat(context.presentMode()).isEqualTo(plain(ContextBench.OK + "00 00000000000000"));
        assertThat(context.member(ContextBench.READ, "", 8)).as("a new snapshot").endsWith("0100000008000000");
        assertThat(context.member(ContextBench.RECORD_READ, "0000010000000000 0000010000000000" + "00".repeat(8), 16))
                .isEqualTo(plain(ContextBench.INVALID_COMMAND));
        context.mode(ContextBench.FREEZE);
        assertThat(context.setMode(ContextBench.ACTIVE)).as("nothing is staged").isEqualTo(plain(ContextBench.OK));
        assertThat(context.member(ContextBench.RECORD_START, RECORD_RANGE, 8)).startsWith(plain(ContextBench.OK));
    }

    @Test
    void shouldApplyWhatTheDriverWroteInFreezeWhenTheOwnerIsReset() {
        PciFunction function = member();
        context.mode(ContextBench.FREEZE);
        function.writeBar(BAR, QUEUE_SELECT, 2, 1);

        perform(End.OWNER_STATUS);

        assertThat(function.readBar(BAR, QUEUE_SELECT, 2)).isEqualTo(1);
    }

    @Test
    void shouldLeaveAVfThatWasPulledOutInFreezeAlone() {
        PciFunction gone = member();
        context.mode(ContextBench.FREEZE);

        perform(End.VF_ENABLE);

        gone.writeBar(BAR, QUEUE_SELECT, 2, 1);
        assertThat(gone.readBar(BAR, QUEUE_SELECT, 2)).isEqualTo(0xFFFF);
        assertThat(member().readBar(BAR, QUEUE_SELECT, 2)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6})
    void shouldHaveNoLegacyInterfaceWithTheDeviceContext(int opcode) {
        assertThat(context.execute(Bench.toMember(opcode, 1, "00".repeat(9)), 16)).isEqualTo(plain(INVALID_OPCODE));
        String use = "0100 0100 000000000000000000000000 0000000000000000" + "7f00000000000000" + "00".repeat(32);
        assertThat(context.execute(use, 8)).isEqualTo(plain(ContextBench.INVALID_FIELD));
    }

    @Test
    void shouldOfferNoPackedVirtqueuesForTheOwnerAndOfferThemForVfs() {
        try (OwnerDevice owner = partsOwner()) {
            assertThat(new OwnerDriver(owner.ownerFunction()).offeredFeatures() & RING_PACKED).isZero();
            PciFunction vf = owner.function(1);
            vf.writeConfig(4, 2, 6);
            vf.writeBar(BAR, 0, 4, 1);
            assertThat(vf.readBar(BAR, 4, 4) & RING_PACKED >>> 32).isNotZero();
        }
    }

    /** A driver that began as one of today leaves features behind that a legacy one has never heard of. */
    @Test
    void shouldHaveSplitVirtqueuesWithALegacyDriverWhateverWasWrittenBefore() {
        try (OwnerDevice owner = partsOwner(); OwnerDevice destination = partsOwner()) {
            PciFunction vf = owner.function(1);
            ByteBuffer memory = attachMemory(vf);
            vf.writeBar(BAR, 8, 4, 1);
            vf.writeBar(BAR, 12, 4, RING_PACKED >>> 32 | 1);
            execute(owner, Bench.toMember(2, 1, "0e 00000000000000 0100"), 8); // queue 1
            execute(owner, Bench.toMember(2, 1, "08 00000000000000 00010000"), 8); // at page 0x100
            execute(owner, Bench.toMember(2, 1, "12 00000000000000 07"), 8);
            int[] frames = {0};
            owner.port(1).connect(frame -> frames[0]++);
            memory.putLong(0, MEMORY_BASE + 0x8000).putInt(8, 70).putShort(12, (short) 0);
            memory.putShort(0x1002, (short) 1);
            vf.writeBar(BAR, LEGACY_NOTIFY, 2, 1);
            assertThat(frames[0]).as("behind a header of 10 bytes").isEqualTo(1);
            assertThat(memory.getShort(0x2002)).as("used index").isEqualTo((short) 1);
            assertThat(vf.readBar(BAR, DEVICE_STATUS, 1)).isEqualTo(7);

            String parts = capture(owner);
            assertThat(parts).as("no part of the position in a packed virtqueue").doesNotContain("00ff0100");
            execute(destination, Bench.toMember(0x11, 1, "01"), 8);
            execute(destination, Bench.create(1, 1, 1), 8);
            execute(destination, Bench.toMember(0x10, 1, Bench.object(1) + parts), 8);
            assertThat(capture(destination)).isEqualTo(parts);
        }
    }

    private static ByteBuffer attachMemory(PciFunction function) {
        ByteBuffer memory = ByteBuffer.allocate(0x2_0000).order(ByteOrder.LITTLE_ENDIAN);
        DmaSpace dma = new DmaSpace();
        dma.map(MEMORY_BASE, memory, DmaSpace.Access.READ_WRITE);
        function.attach(dma, (vector, address, data) -> {});
        function.writeConfig(4, 2, 6);
        return memory;
    }

    private static OwnerDevice partsOwner() {
        AdapterSettings settings = Bench.settings(1, false);
        OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings));
        execute(owner, Bench.USE_ALL, 8);
        execute(owner, Bench.SET_CAPABILITY, 8);
        return owner;
    }

    private static String capture(OwnerDevice owner) {
        execute(owner, Bench.toMember(0x11, 1, "01"), 8);
        execute(owner, Bench.create(1, 0, 0), 8);
        return execute(owner, Bench.toMember(0x0f, 1, Bench.object(0) + "0100000000000000"), 16384);
    }

    /** Executes a command that must succeed; gives the result. */
    private static String execute(OwnerDevice owner, String readable, int space) {
        String hex = Bench.execute(owner, readable, space);
        assertThat(hex).as(readable).startsWith(plain(Bench.OK));
        return hex.substring(16);
    }
}
