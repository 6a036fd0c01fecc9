// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;

import dev.ferry.device.DirtyTracker;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;

/**
 * What the kernel of a variant of the lab has: told from outside, never asked of our own probes, which could be wrong.
 */
enum KernelFlavor {
    /** As the distribution ships it. */
    SHIPPED,
    /** With iommufd, character devices, and the code behind dirty bitmaps. */
    IOMMUFD;

    private static final String REFUSED_LOG = "device DMA logging: it is offered, but .*EOPNOTSUPP";
    private static final String RELEASE = System.getProperty("os.version");

    /** {@code shipped} or {@code iommufd}. */
    static KernelFlavor of(String name) {
        return switch (name) {
            case "shipped" -> SHIPPED;
            case "iommufd" -> IOMMUFD;
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** Whether the running kernel is of this release or a newer one. */
    static boolean isRelease(int major, int minor) {
        String[] version = RELEASE.split("[.+-]");
        int runningMajor = Integer.parseInt(version[0]);
        return runningMajor > major || runningMajor == major && Integer.parseInt(version[1]) >= minor;
    }

    boolean hasDirtyBitmaps() {
        return this == IOMMUFD;
    }

    /** Demands that dirty pages of the lab's own device are tracked in the best way that this kernel has. */
    void demandTracking(Driven driven) {
        DirtyTracker tracker = driven.driver().dirtyTracker().orElse(null);
        demand(tracker != null, "no dirty tracker: %s", driven.dirtyTracking());
        boolean expected = switch (this) {
            case SHIPPED -> !tracker.capabilities().exact()
                    && driven.dirtyTracking().matches("container dirty pages \\(" + REFUSED_LOG + ".*\\)");
            case IOMMUFD -> logsExactly(driven);
        };
        demand(expected, "exact: %s; %s", tracker.capabilities().exact(), driven.dirtyTracking());
    }

    private static boolean logsExactly(Driven driven) {
        return driven.driver().dirtyTracker().filter(tracker -> tracker.capabilities().exact()).isPresent()
                && driven.dirtyTracking().equals("device DMA logging");
    }
}
