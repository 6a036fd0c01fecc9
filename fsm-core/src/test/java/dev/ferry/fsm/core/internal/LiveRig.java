// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The component with several devices of one guest whose memory is tracked, and a clock that stands still. */
final class LiveRig implements AutoCloseable {

    static final int PAGE = 4096;
    static final int MEMORY = 64 * PAGE;

    final ManualClock clock = new ManualClock();
    final MigrationRig.Values values = new MigrationRig.Values();
    final MigrationServiceComponent service = new MigrationServiceComponent(values, clock);
    final List<LiveDriver> sources = new ArrayList<>();
    final List<LiveDriver> destinations = new ArrayList<>();
    final LiveGuest sourceGuest;
    final LiveGuest destinationGuest;

    LiveRig(int devices) {
        this(devices, MigrationRig.ALL, MEMORY);
    }

    LiveRig(int devices, Set<MigrationFeature> features, int memoryBytes) {
        sourceGuest = new LiveGuest("source guest", memoryBytes, true);
        destinationGuest = new LiveGuest("destination guest", memoryBytes, false);
        for (int i = 0; i < memoryBytes; i += 64) {
            sourceGuest.memory[i] = (byte) (i / 64 + 1);
        }
        for (int i = 0; i < devices; i++) {
            addPair(features);
        }
    }

    /** One more device, which has these features at both ends. */
    void addPair(Set<MigrationFeature> features) {
        int i = sources.size();
        sources.add(add(new LiveDriver("host1/vf" + i, features, text(i)), 100 + i));
        destinations.add(add(new LiveDriver("host2/vf" + i, features, "text:empty"), 1000 + i));
    }

    static String text(int device) {
        return "text:state of device " + device;
    }

    private LiveDriver add(LiveDriver driver, long serviceId) {
        service.addDriver(driver, MigrationRig.properties(driver.device.id, serviceId));
        return driver;
    }

    List<LiveDriver> drivers() {
        List<LiveDriver> all = new ArrayList<>(sources);
        all.addAll(destinations);
        return all;
    }

    /** Objects for sessions, so many on each host; answers the pools of both. */
    List<TicketPool> limitSessions(int places) {
        TicketPool atSource = new TicketPool(places);
        TicketPool atDestination = new TicketPool(places);
        sources.forEach(source -> source.device.tickets = atSource);
        destinations.forEach(destination -> destination.device.tickets = atDestination);
        return List.of(atSource, atDestination);
    }

    /** Watches every call of every driver and guest. */
    void intercept(LiveDriver.Interceptor interceptor) {
        for (LiveDriver driver : drivers()) {
            driver.interceptor = interceptor;
            driver.tracker.interceptor = interceptor;
        }
        for (LiveGuest guest : List.of(sourceGuest, destinationGuest)) {
            guest.interceptor = interceptor;
            guest.tracker.interceptor = interceptor;
        }
    }

    /** A device writes one byte of its guest's memory by DMA. */
    void dma(int device, int offset, int value) {
        sourceGuest.memory[offset] = (byte) value;
        sources.get(device).tracker.write(LiveGuest.BASE + offset, 1);
    }

    MigrationRequest request() {
        List<DevicePair> pairs = new ArrayList<>();
        for (int i = 0; i < sources.size(); i++) {
            pairs.add(new DevicePair(sources.get(i).device.id, destinations.get(i).device.id));
        }
        return MigrationRequest.of(pairs).withGuests(sourceGuest, destinationGuest);
    }

    /** From now on each look finds half of the memory written. */
    void writeFast() {
        sourceGuest.tracker.beforeReport = () -> {
            for (int page = 0; page < MEMORY / PAGE / 2; page++) {
                sourceGuest.store(page * PAGE + 7, page);
            }
        };
    }

    /** At this rate half of the memory takes one second. */
    MigrationRequest slowRequest() {
        return request().withBandwidth(new Bandwidth(MEMORY / 2));
    }

    /** Acts at the first call only. */
    static Runnable once(Runnable action) {
        AtomicInteger calls = new AtomicInteger();
        return () -> {
            if (calls.getAndIncrement() == 0) {
                action.run();
            }
        };
    }

    /** Waits for all others. */
    static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("not at the same time", e);
        }
    }

    MigrationReport migrate() {
        return migrate(request());
    }

    MigrationReport migrate(MigrationRequest request) {
        return MigrationRig.report(service.start(request, MigrationListener.NONE));
    }

    void assertDestinationOwns() {
        assertThat(destinationGuest.running).isTrue();
        assertThat(sourceGuest.running).isFalse();
        for (int i = 0; i < sources.size(); i++) {
            assertThat(destinations.get(i).device.state).isEqualTo(DeviceState.RUNNING);
            assertThat(destinations.get(i).device.text).isEqualTo(text(i));
            assertThat(sources.get(i).device.state).isIn(DeviceState.STOP, DeviceState.STOP_COPY);
        }
        assertThat(destinationGuest.memory).isEqualTo(sourceGuest.memory);
        assertNothingLeft();
    }

    /** The sources run; whether with their own state is for the test to say. */
    void assertSourceRuns() {
        assertThat(sourceGuest.running).isTrue();
        assertThat(destinationGuest.running).isFalse();
        for (int i = 0; i < sources.size(); i++) {
            assertThat(sources.get(i).device.state).isEqualTo(DeviceState.RUNNING);
            assertThat(destinations.get(i).device.text).isNotEqualTo(text(i));
        }
        assertNothingLeft();
    }

    void assertSourceOwns() {
        assertSourceRuns();
        for (int i = 0; i < sources.size(); i++) {
            assertThat(sources.get(i).device.text).isEqualTo(text(i));
        }
    }

    void assertNothingLeft() {
        assertThat(drivers()).allMatch(driver -> driver.device.breaches.isEmpty());
        assertNoTrackingAndNoJobs();
    }

    void assertNoTrackingAndNoJobs() {
        for (LiveDriver driver : drivers()) {
            assertThat(driver.tracker.breaches).isEmpty();
            assertThat(driver.tracker.isRecording()).as(driver.device.id + " still tracks").isFalse();
        }
        assertThat(sourceGuest.tracker.breaches).isEmpty();
        assertThat(sourceGuest.tracker.isRecording()).as("the guest is still tracked").isFalse();
        assertThat(service.migrations()).isEmpty();
    }

    void assertNoSessions() {
        for (LiveDriver driver : drivers()) {
            assertThat(driver.device.hasOpenSession()).as(driver.device.id).isFalse();
        }
    }

    /** The component ends as a framework ends it: first itself, then one driver after the other. */
    void end(boolean sourcesFirst) {
        service.deactivate();
        for (List<LiveDriver> side : sourcesFirst ? List.of(sources, destinations) : List.of(destinations, sources)) {
            for (LiveDriver driver : side) {
                long serviceId = (side == sources ? 100 : 1000) + side.indexOf(driver);
                service.removeDriver(driver, MigrationRig.properties(driver.device.id, serviceId));
            }
        }
    }

    @Override
    public void close() {
        service.deactivate();
        MigrationRig.await("the threads to end", () -> MigrationRig.liveThreads().isEmpty());
    }
}
