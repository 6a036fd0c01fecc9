// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.demo.internal.run.VfPair;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationService;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Two emulated hosts that are there for one demonstration only, with the VFs and the latency it asks for. Used by one
 * thread.
 */
final class OwnHosts implements AutoCloseable {

    private static final String FACTORY_PID = "dev.ferry.emulator.adapter";
    private static final List<String> HOSTS = List.of("demo-source", "demo-destination");
    private static final Duration APPEAR_LIMIT = Duration.ofSeconds(10);
    private static final Duration VANISH_LIMIT = Duration.ofSeconds(5);
    private static final long POLL_NANOS = 10_000_000L;

    private final DemoServices services;
    private final List<Configuration> configurations = new ArrayList<>();

    /**
     * Asks for the hosts; their VFs appear afterwards.
     *
     * @param members VFs of each, 1 or more
     * @param latency as the emulator's configuration takes it
     */
    OwnHosts(DemoServices services, int members, String latency) throws IOException, CommandFailedException {
        this.services = services;
        ConfigurationAdmin admin = services.configurations();
        try {
            for (String host : HOSTS) {
                Configuration configuration = admin.getFactoryConfiguration(FACTORY_PID, host, "?");
                configurations.add(configuration);
                Hashtable<String, Object> values = new Hashtable<>();
                values.put("host", host);
                values.put("name", "pf0");
                values.put("members", members);
                values.put("latency", latency);
                configuration.update(values);
            }
        } catch (IOException e) {
            closeAfter(e);
            throw e;
        }
    }

    private void closeAfter(IOException first) {
        try {
            close();
        } catch (IOException e) {
            first.addSuppressed(e);
        }
    }

    /** Waits until all VFs can be migrated, and no longer once the emulator refuses to make them. */
    List<VfPair> await(int members) throws CommandFailedException, InterruptedException {
        MigrationService service = services.service();
        Supplier<List<EmulatedAdapter>> adapters = services.adapters();
        long deadline = System.nanoTime() + APPEAR_LIMIT.toNanos();
        while (!VfChoice.isEnough(own(service), adapters.get(), members)) {
            Optional<String> refusal = refusal();
            if (refusal.isPresent()) {
                throw new CommandFailedException(FailureCode.DEVICE_NOT_FOUND,
                        "the emulator does not make the VFs of the demo: " + refusal.get());
            }
            if (System.nanoTime() > deadline) {
                throw new CommandFailedException(FailureCode.DEVICE_NOT_FOUND,
                        "the emulator did not make the VFs of the demo within %d s; its messages say why"
                                .formatted(APPEAR_LIMIT.toSeconds()));
            }
            LockSupport.parkNanos(POLL_NANOS);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        return VfChoice.among(own(service), adapters.get(), members);
    }

    private Optional<String> refusal() {
        return outcomes(pids())
                .flatMap(outcome -> outcome.refusal().stream())
                .findFirst();
    }

    private List<String> pids() {
        return configurations.stream().map(Configuration::getPid).toList();
    }

    private Stream<ConfigurationOutcome> outcomes(List<String> pids) {
        return services.outcomes().get().stream().filter(outcome -> pids.contains(outcome.pid()));
    }

    private static List<DeviceDescription> own(MigrationService service) {
        return service.devices().stream().filter(device -> HOSTS.contains(device.host())).toList();
    }

    /**
     * Takes the hosts away again, and waits a while until the emulator has taken its answers back: the hosts of the next
     * demonstration have the same PIDs.
     */
    @Override
    public void close() throws IOException {
        // A deleted configuration does not tell its PID any more.
        List<String> pids = pids();
        for (Configuration configuration : configurations) {
            configuration.delete();
        }
        long deadline = System.nanoTime() + VANISH_LIMIT.toNanos();
        while (outcomes(pids).findAny().isPresent() && System.nanoTime() - deadline < 0
                && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
