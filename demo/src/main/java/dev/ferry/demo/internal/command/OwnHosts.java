// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.UsageException;
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
    private static final long POLL_NANOS = 10_000_000L;

    private final DemoServices services;
    /** Answers to those of an earlier demonstration, which go away some time after they were deleted. */
    private final List<ConfigurationOutcome> earlier;
    private final List<Configuration> configurations = new ArrayList<>();

    /**
     * Asks for the hosts; their VFs appear afterwards.
     *
     * @param members VFs of each, 1 or more
     * @param latency as the emulator's configuration takes it
     */
    OwnHosts(DemoServices services, int members, String latency) throws IOException, CommandFailedException {
        this.services = services;
        this.earlier = services.outcomes().get();
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

    /**
     * Waits until all VFs can be migrated.
     *
     * @throws UsageException as soon as the emulator refuses to make them: all that it can refuse was asked for
     */
    List<VfPair> await(int members) throws CommandFailedException, InterruptedException, UsageException {
        MigrationService service = services.service();
        Supplier<List<EmulatedAdapter>> adapters = services.adapters();
        long deadline = System.nanoTime() + APPEAR_LIMIT.toNanos();
        while (!VfChoice.isEnough(own(service), adapters.get(), members)) {
            Optional<String> refusal = refusal(services.outcomes().get());
            if (refusal.isPresent()) {
                throw new UsageException("the emulator does not make the VFs of the demo: " + refusal.get());
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

    private Optional<String> refusal(List<ConfigurationOutcome> outcomes) {
        return outcomes.stream()
                .filter(outcome -> earlier.stream().noneMatch(old -> old == outcome))
                .filter(outcome -> configurations.stream().anyMatch(own -> own.getPid().equals(outcome.pid())))
                .flatMap(outcome -> outcome.refusal().stream())
                .findFirst();
    }

    private static List<DeviceDescription> own(MigrationService service) {
        return service.devices().stream().filter(device -> HOSTS.contains(device.host())).toList();
    }

    /** Takes the hosts away again. */
    @Override
    public void close() throws IOException {
        for (Configuration configuration : configurations) {
            configuration.delete();
        }
    }
}
