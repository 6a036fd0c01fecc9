// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.DirtyTracker.Capabilities;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Plain;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Tracking;
import dev.ferry.vfio.backend.internal.access.OwnMemory;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The choice of a dirty tracker: the first that works of the ways that are configured. One object for all devices of a
 * host, since some record together. Thread-safe.
 *
 * <p>What an IOMMU marks and a container reports is told of memory that is mapped: by another process, which has lent
 * the device, or here.
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
     * @param space the addresses that the device reaches, as far as they are known here
     * @param pageSize of the host, in bytes
     * @param allowed the ways that may be taken, in the order in which they are tried
     * @throws DeviceException when the device does not say what it offers
     */
    public Choice choose(VfioDevice device, Optional<IommuSpace> space, int pageSize, List<Way> allowed)
            throws DeviceException {
        return new Search(device, space, pageSize, allowed).choose();
    }

    /** One choice, and what it left aside. */
    private final class Search {
        private final VfioDevice device;
        private final Optional<IommuSpace> space;
        private final int pageSize;
        private final List<Way> allowed;
        private final Map<Way, String> refusals = new EnumMap<>(Way.class);

        Search(VfioDevice device, Optional<IommuSpace> space, int pageSize, List<Way> allowed) {
            this.device = device;
            this.space = space;
            this.pageSize = pageSize;
            this.allowed = allowed;
        }

        Choice choose() throws DeviceException {
            boolean logs = offersLogging();
            for (Way way : allowed) {
                Optional<DirtyTracker> tracker = attempt(way, logs);
                if (tracker.isPresent()) {
                    return new Choice(tracker, tracker.get().capabilities().mechanism());
                }
            }
            return new Choice(Optional.empty(), "no dirty tracking" + reasons(Way.values().length));
        }

        private boolean offersLogging() throws DeviceException {
            return allowed.contains(Way.DEVICE)
                    && device.probe(DeviceFeature.DMA_LOGGING_START, DeviceFeature.SET, "SET DMA_LOGGING_START")
                    && device.probe(DeviceFeature.DMA_LOGGING_STOP, DeviceFeature.SET, "SET DMA_LOGGING_STOP")
                    && device.probe(DeviceFeature.DMA_LOGGING_REPORT, DeviceFeature.GET, "GET DMA_LOGGING_REPORT");
        }

        private Optional<DirtyTracker> attempt(Way way, boolean logs) {
            try {
                return switch (way) {
                    case DEVICE -> logs ? deviceLogging() : not(way, "the device offers none");
                    case IOMMUFD -> iommufd();
                    case CONTAINER -> container();
                };
            } catch (DeviceException e) {
                return not(way, "it is offered, but " + KernelException.reason(e));
            }
        }

        private Optional<DirtyTracker> not(Way way, String why) {
            refusals.put(way, why);
            return Optional.empty();
        }

        /** Whoever lends a device may lend nothing beside it; where it is opened here it is opened in one way. */
        private Optional<DirtyTracker> absent(Way way, String what, String other) {
            return not(way, space.isEmpty()
                    ? "no %s was lent with the device".formatted(what)
                    : "the device has no %s but %s".formatted(what, other));
        }

        private String mechanism(Way way) {
            return way.title + reasons(way.ordinal());
        }

        /** Why none of the most exact ways was taken, and none that was tried before. */
        private String reasons(int mostExact) {
            List<String> reasons = new ArrayList<>();
            for (Way way : Way.values()) {
                String untried = allowed.contains(way) ? "configured after it" : "not allowed";
                String why = refusals.getOrDefault(way, way.ordinal() < mostExact ? untried : "");
                if (!why.isEmpty()) {
                    reasons.add(way.title + ": " + why);
                }
            }
            return reasons.isEmpty() ? "" : " (" + String.join("; ", reasons) + ")";
        }

        private Optional<DirtyTracker> tracker(Capabilities capabilities, long mostPages, DirtyLog log) {
            return Optional.of(new KernelDirtyTracker(device.name(), capabilities, mostPages, pageSize, log));
        }

        private Optional<DirtyTracker> deviceLogging() throws DeviceException {
            DmaLogging logging = new DmaLogging(device);
            logging.tryOut(pageSize);
            return tracker(DmaLogging.capabilities(mechanism(Way.DEVICE)), DmaLogging.MOST_PAGES, logging);
        }

        /** A space in which only this bundle maps is asked of what is mapped alone. */
        private DirtyLog share(IommuSpace known, DirtyLog kernel) throws DeviceException {
            Optional<OwnMemory> own = known.own();
            return shared.share(known, own.isPresent() ? new OwnMemoryLog(own.get(), kernel) : kernel);
        }

        private Optional<DirtyTracker> iommufd() throws DeviceException {
            if (space.isEmpty() || !(space.get() instanceof IommufdSpace iommufd)) {
                return absent(Way.IOMMUFD, "iommufd", "a container");
            }
            return switch (iommufd.pageTable()) {
                case Plain plain -> not(Way.IOMMUFD, plain.reason());
                case Tracking table -> {
                    IommufdTracking kernel = new IommufdTracking(device, iommufd, table.id());
                    kernel.tryOut(pageSize);
                    yield tracker(IommufdTracking.capabilities(
                                    pageSize, mechanism(Way.IOMMUFD), iommufd.own().isEmpty()),
                            IommufdTracking.MOST_PAGES, share(iommufd, kernel));
                }
            };
        }

        /** Nothing is tried: the lender may record there now. */
        private Optional<DirtyTracker> container() throws DeviceException {
            if (space.isEmpty() || !(space.get() instanceof ContainerSpace container)) {
                return absent(Way.CONTAINER, "container", "an iommufd");
            }
            Optional<ContainerSpace.DirtyPages> limits = container.dirtyPages();
            if (limits.isEmpty()) {
                return not(Way.CONTAINER, "the container has no migration capability");
            }
            DirtyLog log = share(container, new ContainerTracking(device, container));
            return tracker(ContainerTracking.capabilities(limits.get(), mechanism(Way.CONTAINER)),
                    ContainerTracking.mostPages(limits.get()), log);
        }
    }
}
