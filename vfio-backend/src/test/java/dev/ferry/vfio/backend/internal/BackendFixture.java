// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.InterceptedCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The bundle on a fake host with a PCI function and a mediated device, and what it registers. */
abstract class BackendFixture {
    static final String VF = "0000:3b:00.2";
    static final String MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    /** A stalled build must not make a test fail. */
    static final long PATIENCE_MILLIS = 60_000;

    static final Patience LONG = new Patience(PATIENCE_MILLIS, PATIENCE_MILLIS, PATIENCE_MILLIS);

    record Registered(MigrationDriver driver, Map<String, Object> properties) {}

    @TempDir
    Path folder;

    final Map<String, Registered> registered = new ConcurrentHashMap<>();
    /** Of devices whose memory is registered, too. */
    final Map<String, Supplier<UserMemory>> memories = new ConcurrentHashMap<>();
    /** What a test does instead of a system call, by name; the kernel answers when it gives null. */
    final Map<String, Function<Object[], Object>> instead = new ConcurrentHashMap<>();
    /** What is answered to the configuration now. */
    final Set<ConfigurationOutcome> outcomes = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<String> changes = new LinkedBlockingQueue<>();
    FakeHost host;
    SystemCalls calls;
    VfioBackend backend;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        host.pci(VF, "virtio_vfio_pci", "12");
        host.mdev(MDEV, "mtty-2", "13");
        calls = InterceptedCalls.of(
                host.kernel, (call, arguments) -> instead.getOrDefault(call, given -> null).apply(arguments));
        backend = backend(LONG);
    }

    VfioBackend backend(Patience patience) {
        return new VfioBackend(folder, () -> calls, this::register, this::answer, PATIENCE_MILLIS, patience);
    }

    private Runnable register(
            MigrationDriver driver, Optional<Supplier<UserMemory>> memory, Map<String, Object> properties) {
        String id = (String) properties.get("ferry.device.id");
        assertThat(registered.put(id, new Registered(driver, new TreeMap<>(properties)))).isNull();
        memory.ifPresent(users -> memories.put(id, users));
        changes.add("+" + id);
        return () -> {
            registered.remove(id);
            memories.remove(id);
            changes.add("-" + id);
        };
    }

    private Runnable answer(ConfigurationOutcome outcome) {
        assertThat(outcomes.add(outcome)).isTrue();
        return () -> outcomes.remove(outcome);
    }

    void configure(Map<String, ?> values) {
        backend.modified(Configured.with(values), Map.of("service.pid", BackendConfiguration.PID));
        changes.clear();
    }

    /** Waits for a service that comes, with a plus before its id, or goes, with a minus. */
    void await(String change) throws InterruptedException {
        String seen = "";
        while (!change.equals(seen)) {
            seen = changes.poll(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(seen).as("waiting for %s", change).isNotNull();
        }
    }

    MigrationDriver driver(String name) {
        return registered.get("host9/" + name).driver();
    }

    Object property(String name, String key) {
        return registered.get("host9/" + name).properties().get(key);
    }
}
