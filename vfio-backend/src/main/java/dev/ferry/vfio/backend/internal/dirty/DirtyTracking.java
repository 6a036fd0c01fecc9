// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The choice of a dirty tracker: the most exact of the ways that work, or the one that is configured. */
public final class DirtyTracking {

    /** The ways, the most exact first. */
    public enum Way {
        /** The device logs its writes. */
        DEVICE("device DMA logging"),
        /** The IOMMU marks pages. */
        IOMMUFD("iommufd"),
        /** The container reports what is mapped or pinned. */
        CONTAINER("container dirty pages");

        private final String title;

        Way(String title) {
            this.title = title;
        }
    }

    /**
     * What was chosen.
     *
     * @param tracker empty when no way works
     * @param reason how pages are tracked and why this way was taken, for people
     */
    public record Choice(Optional<DirtyTracker> tracker, String reason) {}

    private final VfioDevice device;
    private final Optional<IommuSpace> space;
    private final int pageSize;
    private final List<String> refusals = new ArrayList<>();

    private DirtyTracking(VfioDevice device, Optional<IommuSpace> space, int pageSize) {
        this.device = device;
        this.space = space;
        this.pageSize = pageSize;
    }

    /**
     * Chooses for an open device.
     *
     * @param allowed the ways that may be taken
     * @param pageSize of the host, in bytes
     */
    public static Choice choose(VfioDevice device, Optional<IommuSpace> space, int pageSize, List<Way> allowed) {
        DirtyTracking choice = new DirtyTracking(device, space, pageSize);
        for (Way way : Way.values()) {
            Optional<DirtyTracker> tracker = allowed.contains(way)
                    ? choice.attempt(way) : choice.not(way, "not allowed");
            if (tracker.isPresent()) {
                return new Choice(tracker, tracker.get().capabilities().mechanism());
            }
        }
        return new Choice(Optional.empty(), "no dirty tracking (" + String.join("; ", choice.refusals) + ")");
    }

    private Optional<DirtyTracker> attempt(Way way) {
        return switch (way) {
            case DEVICE -> deviceLogging();
            case IOMMUFD -> iommufd();
            case CONTAINER -> container();
        };
    }

    private Optional<DirtyTracker> not(Way way, String why) {
        refusals.add(way.title + ": " + why);
        return Optional.empty();
    }

    private String mechanism(Way way) {
        return refusals.isEmpty() ? way.title : way.title + " (" + String.join("; ", refusals) + ")";
    }

    private Optional<DirtyTracker> deviceLogging() {
        boolean offered = device.probe(DeviceFeature.DMA_LOGGING_START, DeviceFeature.SET)
                && device.probe(DeviceFeature.DMA_LOGGING_STOP, DeviceFeature.SET)
                && device.probe(DeviceFeature.DMA_LOGGING_REPORT, DeviceFeature.GET);
        if (!offered) {
            return not(Way.DEVICE, "the device offers none");
        }
        DmaLogging logging = new DmaLogging(device, mechanism(Way.DEVICE));
        try {
            tryOut(logging);
            return Optional.of(logging);
        } catch (DeviceException e) {
            return not(Way.DEVICE, "the device offers it, but " + e.getMessage());
        }
    }

    /** Some kernels take the log's start and then cannot report: better known now than in a migration. */
    private void tryOut(DmaLogging logging) throws DeviceException {
        List<IovaRange> page = List.of(new IovaRange(0, pageSize));
        logging.begin(pageSize, page);
        try (Arena arena = Arena.ofConfined()) {
            logging.report(page.get(0), pageSize, arena.allocate(Long.BYTES, Long.BYTES));
        } finally {
            logging.end();
        }
    }

    private Optional<DirtyTracker> iommufd() {
        if (space.isEmpty() || !(space.get() instanceof IommufdSpace iommufd)) {
            return not(Way.IOMMUFD, "the device was not opened with iommufd");
        }
        OptionalInt hwpt = iommufd.trackingPageTable();
        if (hwpt.isEmpty()) {
            return not(Way.IOMMUFD, "the IOMMU behind the device cannot track");
        }
        return Optional.of(new IommufdTracking(
                device.name(), iommufd, hwpt.getAsInt(), pageSize, mechanism(Way.IOMMUFD)));
    }

    private Optional<DirtyTracker> container() {
        if (space.isEmpty() || !(space.get() instanceof ContainerSpace container)) {
            return not(Way.CONTAINER, "the device was not opened with a container");
        }
        try {
            Optional<ContainerSpace.DirtyPages> limits = container.dirtyPages();
            if (limits.isEmpty()) {
                return not(Way.CONTAINER, "the container has no migration capability");
            }
            return Optional.of(new ContainerTracking(
                    device.name(), container, limits.get(), mechanism(Way.CONTAINER)));
        } catch (DeviceException e) {
            return not(Way.CONTAINER, e.getMessage());
        }
    }
}
