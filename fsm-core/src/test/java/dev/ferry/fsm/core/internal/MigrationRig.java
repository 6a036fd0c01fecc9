// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.lang.annotation.Annotation;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** The component with two devices and a guest at each end. */
final class MigrationRig implements AutoCloseable {

    static final String SOURCE = "host1/vf1";
    static final String DESTINATION = "host2/vf1";
    static final String TEXT = "text:what the guest's device holds";
    static final long SOURCE_SERVICE = 11;
    static final long DESTINATION_SERVICE = 12;
    static final Set<MigrationFeature> ALL = EnumSet.allOf(MigrationFeature.class);
    static final long LIMIT_SECONDS = 20;

    final ScriptedDriver source;
    final ScriptedDriver destination;
    final ScriptedGuest sourceGuest = new ScriptedGuest(true);
    final ScriptedGuest destinationGuest = new ScriptedGuest(false);
    final Values values = new Values();
    final FastClock clock = new FastClock();
    final MigrationServiceComponent service = new MigrationServiceComponent(values, clock);

    MigrationRig() {
        this(ALL);
    }

    MigrationRig(Set<MigrationFeature> features) {
        source = new ScriptedDriver(SOURCE, features, TEXT);
        destination = new ScriptedDriver(DESTINATION, features, "text:empty shell");
        add(source, SOURCE_SERVICE);
        add(destination, DESTINATION_SERVICE);
        sourceGuest.config = "msi-x";
        java.util.Arrays.fill(sourceGuest.low, (byte) 1);
        java.util.Arrays.fill(sourceGuest.high, (byte) 2);
        sourceGuest.high[ScriptedGuest.LARGE - 1] = 3;
    }

    /** All sets of features that a device can have. */
    static Stream<Set<MigrationFeature>> featureSets() {
        return Stream.of(
                EnumSet.of(MigrationFeature.STOP_COPY),
                EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P),
                EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.PRE_COPY),
                ALL);
    }

    void add(ScriptedDriver driver, long serviceId) {
        service.addDriver(driver, properties(driver.id, serviceId));
    }

    void remove(ScriptedDriver driver, long serviceId) {
        service.removeDriver(driver, properties(driver.id, serviceId));
        driver.gone = true;
    }

    /** The component ends as a framework ends it: first itself, then one driver after the other. */
    void end(boolean sourceFirst) {
        service.deactivate();
        if (sourceFirst) {
            remove(source, SOURCE_SERVICE);
        }
        remove(destination, DESTINATION_SERVICE);
        if (!sourceFirst) {
            remove(source, SOURCE_SERVICE);
        }
    }

    /** Another component finds the drivers as this one left them, and ends as well. */
    void comeAndGoOnceMore() {
        MigrationServiceComponent next = new MigrationServiceComponent(values, clock);
        List<ScriptedDriver> drivers = List.of(source, destination);
        for (ScriptedDriver driver : drivers) {
            driver.gone = false;
            next.addDriver(driver, properties(driver.id, SOURCE_SERVICE + drivers.indexOf(driver)));
        }
        next.deactivate();
        for (ScriptedDriver driver : drivers) {
            next.removeDriver(driver, properties(driver.id, SOURCE_SERVICE + drivers.indexOf(driver)));
        }
    }

    static Map<String, Object> properties(String id, long serviceId) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("service.id", serviceId);
        properties.put(MigrationDriver.DEVICE_ID, id);
        properties.put(MigrationDriver.DEVICE_TYPE, "scripted");
        properties.put(MigrationDriver.BACKEND, "memory");
        properties.put(MigrationDriver.HOST, id.substring(0, id.indexOf('/')));
        properties.put(MigrationDriver.OWNER, "pf0");
        properties.put(MigrationDriver.MEMBER, 1);
        return properties;
    }

    MigrationRequest request() {
        return MigrationRequest.of(SOURCE, DESTINATION).withGuests(sourceGuest, destinationGuest);
    }

    MigrationReport migrate() {
        return migrate(request());
    }

    MigrationReport migrate(MigrationRequest request) {
        return report(service.start(request, MigrationListener.NONE));
    }

    static MigrationReport report(Migration migration) {
        try {
            return migration.result().toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("the migration did not end", e);
        }
    }

    /** The source owns its device as if nothing had happened, and the destination has nothing of the guest. */
    void assertSourceOwns() {
        assertThat(source.state).isEqualTo(DeviceState.RUNNING);
        assertThat(source.text).isEqualTo(TEXT);
        assertThat(sourceGuest.running).isTrue();
        assertDestinationOwnsNothing();
    }

    void assertDestinationOwnsNothing() {
        assertThat(destination.text).isNotEqualTo(TEXT);
        assertThat(destinationGuest.running).isFalse();
        assertNoBreaches();
    }

    void assertDestinationOwns() {
        assertDestinationRuns();
        assertThat(source.state).isEqualTo(DeviceState.STOP);
    }

    /** The destination owns the device, and the source, whose driver has left, knows nothing of it any more. */
    void assertDestinationOwnsAndSourceIsBlank() {
        assertDestinationRuns();
        assertThat(source.state).isEqualTo(DeviceState.RUNNING);
        assertThat(source.text).isNotEqualTo(TEXT);
    }

    private void assertDestinationRuns() {
        assertThat(destination.state).isEqualTo(DeviceState.RUNNING);
        assertThat(destination.text).isEqualTo(TEXT);
        assertThat(destinationGuest.running).isTrue();
        assertThat(sourceGuest.running).isFalse();
        assertNoBreaches();
    }

    void assertNoBreaches() {
        assertThat(source.breaches).isEmpty();
        assertThat(destination.breaches).isEmpty();
    }

    /** Waits without sleeping. */
    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("waited too long for " + what);
            }
            Thread.yield();
        }
    }

    /** Waits until a thread that withdraws a driver waits for the job. */
    static void awaitWaiting(Thread unregisters) {
        await("the unbind to wait", () -> unregisters.getState() == Thread.State.TIMED_WAITING);
    }

    @Override
    public void close() {
        service.deactivate();
        await("the threads to end", () -> liveThreads().isEmpty());
    }

    static List<String> liveThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith("ferry-migration-"))
                .map(Thread::getName)
                .toList();
    }

    /** A configuration with values that a test may change. */
    static class Values implements Configuration {
        int drainSeconds = 10;
        int chunkKib = 4;
        int spoolMemoryMib = 64;
        int spoolFileMib = 64;
        int parallel = 16;

        @Override
        public int drain_timeout_seconds() {
            return drainSeconds;
        }

        @Override
        public int chunk_kib() {
            return chunkKib;
        }

        @Override
        public int spool_memory_mib() {
            return spoolMemoryMib;
        }

        @Override
        public int spool_file_mib() {
            return spoolFileMib;
        }

        @Override
        public int parallel_migrations() {
            return parallel;
        }

        int outgoing = 16;
        int incoming = 16;
        int threads = 16;
        int bitmapMib = 256;
        int reports = 100;

        @Override
        public int outgoing_per_host() {
            return outgoing;
        }

        @Override
        public int incoming_per_host() {
            return incoming;
        }

        @Override
        public int transfer_threads() {
            return threads;
        }

        @Override
        public int bitmap_mib() {
            return bitmapMib;
        }

        @Override
        public int reports_kept() {
            return reports;
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return Configuration.class;
        }
    }
}
