// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.DirtyTracker.Capabilities;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The choice of a dirty tracker: the most exact of the ways that work, or the one that is configured. One object for
 * all devices of a host, since some record together. Thread-safe.
 */
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

    private final SharedLogs shared = new SharedLogs();

    /**
     * Chooses for an open device. What a device may share with others, a container or a page table, is looked up among
     * those that this object chose for.
     *
     * @param allowed the ways that may be taken
     * @param pageSize of the host, in bytes
     */
    public Choice choose(VfioDevice device, Optional<IommuSpace> space, int pageSize, List<Way> allowed) {
        return new Search(device, space, pageSize).choose(allowed);
    }

    /** One choice, and what it left aside. */
    private final class Search {
        private final VfioDevice device;
        private final Optional<IommuSpace> space;
        private final int pageSize;
        private final List<String> refusals = new ArrayList<>();

        Search(VfioDevice device, Optional<IommuSpace> space, int pageSize) {
            this.device = device;
            this.space = space;
            this.pageSize = pageSize;
        }

        Choice choose(List<Way> allowed) {
            for (Way way : Way.values()) {
                Optional<DirtyTracker> tracker = allowed.contains(way) ? attempt(way) : not(way, "not allowed");
                if (tracker.isPresent()) {
                    return new Choice(tracker, tracker.get().capabilities().mechanism());
                }
            }
            return new Choice(Optional.empty(), "no dirty tracking (" + String.join("; ", refusals) + ")");
        }

        private Optional<DirtyTracker> attempt(Way way) {
            try {
                return switch (way) {
                    case DEVICE -> deviceLogging();
                    case IOMMUFD -> iommufd();
                    case CONTAINER -> container();
                };
            } catch (DeviceException e) {
                return not(way, "it is offered, but " + KernelException.reason(e));
            }
        }

        private Optional<DirtyTracker> not(Way way, String why) {
            refusals.add(way.title + ": " + why);
            return Optional.empty();
        }

        private String mechanism(Way way) {
            return refusals.isEmpty() ? way.title : way.title + " (" + String.join("; ", refusals) + ")";
        }

        private Optional<DirtyTracker> tracker(Capabilities capabilities, long mostPages, DirtyLog log) {
            return Optional.of(new KernelDirtyTracker(device.name(), capabilities, mostPages, log));
        }

        private Optional<DirtyTracker> deviceLogging() throws DeviceException {
            boolean offered = device.probe(DeviceFeature.DMA_LOGGING_START, DeviceFeature.SET)
                    && device.probe(DeviceFeature.DMA_LOGGING_STOP, DeviceFeature.SET)
                    && device.probe(DeviceFeature.DMA_LOGGING_REPORT, DeviceFeature.GET);
            if (!offered) {
                return not(Way.DEVICE, "the device offers none");
            }
            DmaLogging logging = new DmaLogging(device);
            tryOut(logging, page -> {
                try (Arena arena = Arena.ofConfined()) {
                    logging.report(page, pageSize, arena.allocate(Long.BYTES, Long.BYTES));
                }
            });
            return tracker(DmaLogging.capabilities(mechanism(Way.DEVICE)), DmaLogging.MOST_PAGES, logging);
        }

        private Optional<DirtyTracker> iommufd() throws DeviceException {
            if (space.isEmpty() || !(space.get() instanceof IommufdSpace iommufd)) {
                return not(Way.IOMMUFD, "the device was not opened with iommufd");
            }
            OptionalInt hwpt = iommufd.trackingPageTable();
            if (hwpt.isEmpty()) {
                return not(Way.IOMMUFD, iommufd.trackingObstacle());
            }
            DirtyLog log = shared.share(iommufd, new IommufdTracking(device, iommufd, hwpt.getAsInt()));
            tryOut(iommufd, log);
            return tracker(
                    IommufdTracking.capabilities(pageSize, mechanism(Way.IOMMUFD)), IommufdTracking.MOST_PAGES, log);
        }

        private Optional<DirtyTracker> container() throws DeviceException {
            if (space.isEmpty() || !(space.get() instanceof ContainerSpace container)) {
                return not(Way.CONTAINER, "the device was not opened with a container");
            }
            Optional<ContainerSpace.DirtyPages> limits = container.dirtyPages();
            if (limits.isEmpty()) {
                return not(Way.CONTAINER, "the container has no migration capability");
            }
            DirtyLog log = shared.share(container, new ContainerTracking(device, container));
            tryOut(container, log);
            return tracker(ContainerTracking.capabilities(limits.get(), mechanism(Way.CONTAINER)),
                    ContainerTracking.mostPages(limits.get()), log);
        }

        /** Whoever lent the space may record in it now: a trial would clear his record, and then end it. */
        private void tryOut(IommuSpace own, DirtyLog log) throws DeviceException {
            if (!own.isLent()) {
                tryOut(log, page -> {}); // a report needs something mapped
            }
        }

        /** Some kernels offer what they then refuse: better known now than in a migration. */
        private void tryOut(DirtyLog log, Report report) throws DeviceException {
            IovaRange page = new IovaRange(0, pageSize);
            log.begin(pageSize, List.of(page));
            try {
                report.of(page);
                log.end();
            } catch (DeviceException e) {
                endAfter(e, log);
                throw e;
            }
        }

        /** Whatever failed, the end above all: the kernel is not to record for nobody. */
        private static void endAfter(DeviceException first, DirtyLog log) {
            try {
                log.end();
            } catch (DeviceException e) {
                first.addSuppressed(e);
            }
        }
    }

    @FunctionalInterface
    private interface Report {
        void of(IovaRange page) throws DeviceException;
    }
}
