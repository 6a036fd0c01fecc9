// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtioFeature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The virtio-net driver of the guest. It has no memory of its own: this object is made anew from guest memory wherever
 * the guest runs. {@link #poll} runs on the guest's processor.
 */
final class VirtioNetDriver {

    private final PciFunction function;
    private final DriverArea area;
    private final List<QueuePair> pairs = new ArrayList<>();
    private final Optional<ControlQueue> control;

    private VirtioNetDriver(PciFunction function, GuestRam ram, DriverArea area) {
        this.function = function;
        this.area = area;
        for (int pair = 0; pair < area.pairs(); pair++) {
            pairs.add(new QueuePair(
                    ram,
                    area,
                    queue(ram, area.receiveQueue(pair)),
                    queue(ram, area.transmitQueue(pair))));
        }
        this.control = area.hasControlQueue()
                ? Optional.of(new ControlQueue(ram, queue(ram, area.controlQueue())))
                : Optional.empty();
    }

    private DriverQueue queue(GuestRam ram, long record) {
        return DriverQueue.at(ram, function, record, has(VirtioFeature.RING_PACKED));
    }

    /** Sets up a device and what the driver knows, from nothing. */
    static VirtioNetDriver boot(PciFunction function, GuestRam ram, GuestOptions options) throws IOException {
        DriverArea area = new DriverArea(ram);
        DriverSetup setup = new DriverSetup(function, ram, area, options);
        setup.run();
        VirtioNetDriver driver = new VirtioNetDriver(function, ram, area);
        for (int pair = 0; pair < area.pairs(); pair++) {
            driver.pairs.get(pair).start(setup.buffers(pair), setup.bufferCount());
        }
        return driver;
    }

    /**
     * Continues where the driver in the memory was.
     *
     * @throws IOException when there is none
     */
    static VirtioNetDriver resume(PciFunction function, GuestRam ram) throws IOException {
        DriverArea area = new DriverArea(ram);
        area.check();
        return new VirtioNetDriver(function, ram, area);
    }

    long features() {
        return area.features();
    }

    boolean has(VirtioFeature feature) {
        return feature.isIn(area.features());
    }

    long forwarded() {
        return area.forwarded();
    }

    Optional<ControlQueue> control() {
        return control;
    }

    /** Tells the device to look at every queue. */
    void kick() {
        pairs.forEach(QueuePair::kick);
        control.ifPresent(ControlQueue::kick);
    }

    /** One round over all queues; returns whether there is more to do at once. */
    boolean poll() {
        boolean more = control.isPresent() && control.get().poll();
        for (QueuePair pair : pairs) {
            more |= pair.poll();
        }
        return more;
    }

    /** Looks at the device after it signalled a change of its configuration. */
    void configurationChanged() {
        BarRegion common = area.common();
        long status = function.readBar(
                common.bar(),
                common.offset() + PciCommonConfig.DEVICE_STATUS.offset(),
                PciCommonConfig.DEVICE_STATUS.size());
        if ((status & DeviceStatus.DEVICE_NEEDS_RESET) != 0) {
            throw new GuestFault(function.id() + " needs a reset");
        }
    }
}
