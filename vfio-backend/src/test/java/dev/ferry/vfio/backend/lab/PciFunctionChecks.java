// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.demandState;
import static dev.ferry.vfio.backend.lab.LabChecks.refusal;
import static dev.ferry.vfio.backend.lab.LabChecks.take;

import dev.ferry.contract.Check;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceMemory;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import dev.ferry.vfio.backend.internal.device.Region;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Two PCI functions behind an IOMMU: network adapters of the emulated machine, driven by the lab's {@code ferry_nic},
 * which is the kernel's {@code vfio-pci} with a migration of STOP_COPY alone.
 */
public final class PciFunctionChecks {
    private static final int BAR0 = 0;
    private static final int RCTL = 0x0100;
    private static final int TCTL = 0x0400;
    private static final int ENABLE = 0x2;
    private static final int COMMAND = 0x04;
    private static final int MEMORY = 0x2;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int PAGE = 4096;
    private static final int PAGES = 1024;
    private static final long IOVA = 0x10000000L;
    /** Where interrupts are written to on a PC. */
    private static final long INTERRUPTS = 0xFEE00000L;

    /** What a guest's driver sets up: registers of 32 bits behind BAR 0 (Intel 82574 datasheet, 10.2). */
    private static final Map<Integer, Integer> SET_UP = new LinkedHashMap<>(Map.ofEntries(
            Map.entry(0x2800, 0x1234_5000), Map.entry(0x2804, 0x1), Map.entry(0x2808, 0x1000), Map.entry(0x2818, 0x20),
            Map.entry(0x3800, 0x2345_6000), Map.entry(0x3804, 0x2), Map.entry(0x3808, 0x0800),
            Map.entry(0x5200, 0x8000_0001), Map.entry(0x5200 + 127 * 4, 0x7E57_7E57)));

    private static final int RCTL_SET_UP = 0x0000_8000 | ENABLE;
    private static final int TCTL_SET_UP = 0x0000_0008 | ENABLE;

    /** Registers of the configuration space that are the guest's, and a byte that it writes there. */
    private static final Map<Integer, Integer> CONFIG = Map.of(0x0C, 0x10, 0x3C, 0x0B, COMMAND, 0x06);

    private final HostDevices devices;
    private final String first;
    private final String second;

    private PciFunctionChecks(HostDevices devices, String first, String second) {
        this.devices = devices;
        this.first = first;
        this.second = second;
    }

    /** Runs all checks. Arguments: {@code auto}, {@code group} or {@code cdev}, and the addresses of the functions. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 3) {
            System.err.println("usage: PciFunctionChecks auto|group|cdev FUNCTION FUNCTION");
            System.exit(2);
        }
        HostDevices devices = new HostDevices(arguments[0]);
        System.exit(LabChecks.run(new PciFunctionChecks(devices, arguments[1], arguments[2]).checks()) == 0 ? 0 : 1);
    }

    private List<Check> checks() {
        List<Check> checks = new ArrayList<>(List.of(
                new Check("a PCI function: what its guest has set up arrives, and it stands still meanwhile",
                        this::arrives),
                new Check("a PCI function: its configuration space arrives by vfio-pci's rules", this::configuration),
                new Check("a PCI function: an arc that it cannot take with its memory switched off is told",
                        this::memoryOff),
                new Check("a PCI function: a torn state is refused by the arc behind it", this::torn),
                new Check("a PCI function: a reset empties it", this::reset),
                new Check(
                        "a PCI function: memory goes through the IOMMU, and all of it counts as written in a container",
                        this::memory)));
        if (devices.haveIommufd()) {
            checks.add(new Check("a PCI function: a page table that was lent and cannot tell dirty pages is not taken",
                    this::lentPageTable));
        }
        return checks;
    }

    private interface Pair {
        void check(Driven source, Driven destination) throws Exception;
    }

    private void with(Pair pair) throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            pair.check(source, destination);
        }
    }

    private static Region region(Driven driven, int index) throws DeviceException {
        return driven.open().device().region(index);
    }

    private static int get(Driven driven, int register) throws DeviceException {
        return ByteBuffer.wrap(region(driven, BAR0).read(register, Integer.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    private static void set(Driven driven, int register, int value) throws DeviceException {
        region(driven, BAR0).write(register,
                ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    private static void setUp(Driven driven) throws DeviceException {
        for (Map.Entry<Integer, Integer> register : SET_UP.entrySet()) {
            set(driven, register.getKey(), register.getValue());
        }
        set(driven, RCTL, RCTL_SET_UP);
        set(driven, TCTL, TCTL_SET_UP);
    }

    private static void demand32(Driven driven, int register, int value) throws DeviceException {
        int found = get(driven, register);
        demand(found == value, "register 0x%04x of %s holds 0x%08x instead of 0x%08x",
                register, driven.open().device().name(), found, value);
    }

    private static void migrate(MigrationDriver source, MigrationDriver destination) throws Exception {
        take(source, Arc.RUNNING_TO_STOP);
        SavingSession saving = (SavingSession) source.step(Arc.STOP_TO_STOP_COPY).orElseThrow();
        take(destination, Arc.RUNNING_TO_STOP);
        ResumingSession resuming = (ResumingSession) destination.step(Arc.STOP_TO_RESUMING).orElseThrow();
        demand(LabChecks.pump(saving, resuming), "the stream has no end in STOP_COPY");
        take(source, Arc.STOP_COPY_TO_STOP);
        take(destination, Arc.RESUMING_TO_STOP, Arc.STOP_TO_RUNNING);
    }

    private void arrives() throws Exception {
        with((source, destination) -> {
            demand(source.driver().features().equals(Set.of(MigrationFeature.STOP_COPY)),
                    "features: %s", source.driver().features());
            setUp(source);
            migrate(source.driver(), destination.driver());
            for (Map.Entry<Integer, Integer> register : SET_UP.entrySet()) {
                demand32(destination, register.getKey(), register.getValue());
            }
            demand32(destination, RCTL, RCTL_SET_UP);
            demand32(destination, TCTL, TCTL_SET_UP);
            demandState(source.driver(), DeviceState.STOP);
            demand32(source, RCTL, RCTL_SET_UP & ~ENABLE);
            demand32(source, TCTL, TCTL_SET_UP & ~ENABLE);
        });
    }

    private void configuration() throws Exception {
        with((source, destination) -> {
            Region from = region(source, VfioIoctl.VFIO_PCI_CONFIG_REGION_INDEX);
            Region to = region(destination, VfioIoctl.VFIO_PCI_CONFIG_REGION_INDEX);
            byte[] bar = {0, 0, (byte) 0xA0, (byte) 0xFE};
            from.write(0x10, bar);
            for (Map.Entry<Integer, Integer> register : CONFIG.entrySet()) {
                from.write(register.getKey(), new byte[] {register.getValue().byteValue()});
            }
            migrate(source.driver(), destination.driver());
            for (Map.Entry<Integer, Integer> register : CONFIG.entrySet()) {
                demand(to.read(register.getKey(), 1)[0] == register.getValue(), "0x%02x holds 0x%02x",
                        register.getKey(), to.read(register.getKey(), 1)[0]);
            }
            demand(Arrays.equals(to.read(0x10, 4), bar), "BAR 0 holds %s", Arrays.toString(to.read(0x10, 4)));
        });
    }

    /** The guest's own doing, so nothing that our driver could prevent. */
    private void memoryOff() throws Exception {
        with((source, destination) -> {
            Region config = region(source, VfioIoctl.VFIO_PCI_CONFIG_REGION_INDEX);
            byte command = config.read(COMMAND, 1)[0];
            config.write(COMMAND, new byte[] {(byte) (command & ~MEMORY)});
            DeviceException told = refusal(Errno.EIO, () -> source.driver().step(Arc.RUNNING_TO_STOP));
            demand(told.getMessage().contains(first) && told.getMessage().endsWith("it is in RUNNING now"),
                    "told: %s", told.getMessage());
            demandState(source.driver(), DeviceState.RUNNING);
            config.write(COMMAND, new byte[] {command});
            migrate(source.driver(), destination.driver());
        });
    }

    private void torn() throws Exception {
        with((source, destination) -> {
            take(source.driver(), Arc.RUNNING_TO_STOP);
            SavingSession saving = (SavingSession) source.driver().step(Arc.STOP_TO_STOP_COPY).orElseThrow();
            List<ByteBuffer> pieces = new ArrayList<>();
            ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
            while (saving.read(buffer.clear()) >= 0) {
                pieces.add(ByteBuffer.allocate(buffer.flip().remaining()).put(buffer).flip());
            }
            take(destination.driver(), Arc.RUNNING_TO_STOP);
            ResumingSession resuming = (ResumingSession) destination.driver().step(Arc.STOP_TO_RESUMING).orElseThrow();
            // A record of data with its second half missing, then all that follows.
            ByteBuffer image = pieces.removeFirst();
            int header = 16;
            int kept = (image.limit() - header) / 2;
            image.putLong(8, kept).limit(header + kept);
            resuming.write(image);
            for (ByteBuffer piece : pieces) {
                resuming.write(piece);
            }
            refusal(Errno.EINVAL, () -> destination.driver().step(Arc.RESUMING_TO_STOP));
            demandState(destination.driver(), DeviceState.RESUMING);
            destination.driver().reset();
            demandState(destination.driver(), DeviceState.RUNNING);
        });
    }

    /**
     * Behind an IOMMU nothing is pinned by itself, so that a container knows only what is mapped. The machine's IOMMU
     * marks no pages, and says so when a page table is made that shall.
     */
    private void memory() throws Exception {
        try (Driven driven = devices.open(first);
                UserMemory memory = driven.open().memory().orElseThrow().get()) {
            System.out.println("      " + driven.dirtyTracking());
            IovaRange range = new IovaRange(IOVA, (long) PAGES * PAGE);
            DeviceMemory.Mapping mapping = memory.map(IOVA, MappedPages.of(PAGES / 2));
            memory.map(IOVA + range.length() / 2, MappedPages.of(PAGES / 2));
            refusal(Errno.EEXIST, () -> memory.map(IOVA, MappedPages.of(1)));
            DeviceException reserved = refusal(Errno.EINVAL, () -> memory.map(INTERRUPTS, MappedPages.of(1)));
            demand(reserved.getMessage().contains("reserved"), "told: %s", reserved.getMessage());
            Optional<DirtyTracker> tracker = driven.driver().dirtyTracker();
            if (driven.open().space().orElseThrow() instanceof ContainerSpace) {
                tracker.orElseThrow().start(PAGE, List.of(range));
                demandAllWritten(tracker.orElseThrow(), range);
                mapping.close();
                demandAllWritten(tracker.orElseThrow(), range);
                tracker.orElseThrow().stop();
            } else {
                demand(tracker.isEmpty() && driven.dirtyTracking().contains("IOMMU_HWPT_ALLOC: EOPNOTSUPP"),
                        "%s", driven.dirtyTracking());
            }
        }
    }

    private static void demandAllWritten(DirtyTracker tracker, IovaRange range) throws DeviceException {
        ByteBuffer bitmap = ByteBuffer.allocateDirect(PAGES / Byte.SIZE);
        tracker.reportAndClear(range, bitmap);
        while (bitmap.hasRemaining()) {
            demand(bitmap.get() == -1, "a page that is mapped, or was, does not count as written");
        }
    }

    /** A page table that the kernel made for the device by itself cannot tell, and another number is none. */
    private void lentPageTable() throws Exception {
        try (VmmDevice device = new VmmDevice(devices, first)) {
            demandRefused(device, device.pageTable(), "IOMMU_HWPT_GET_DIRTY_BITMAP failed (EOPNOTSUPP)");
            demandRefused(device, device.pageTable() + 100, "IOMMU_HWPT_GET_DIRTY_BITMAP failed (ENOENT)");
        }
    }

    private static void demandRefused(VmmDevice device, int pageTable, String why) throws DeviceException {
        DirtyTracking.Choice choice = new DirtyTracking().choose(device.device(),
                Optional.of(device.iommufdSpace(pageTable)), PAGE, List.of(DirtyTracking.Way.IOMMUFD));
        demand(choice.tracker().isEmpty() && choice.reason().contains(why), "%s", choice.reason());
    }

    private void reset() throws Exception {
        with((source, destination) -> {
            setUp(source);
            take(source.driver(), Arc.RUNNING_TO_STOP);
            source.driver().reset();
            demandState(source.driver(), DeviceState.RUNNING);
            demand32(source, 0x5200, 0);
            demand32(source, RCTL, 0);
        });
    }
}
