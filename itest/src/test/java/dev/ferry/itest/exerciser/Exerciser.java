// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.exerciser;

import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.migration.Guest;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Does for tests what needs a wire to bundles that these tests replace, and answers with JDK and API types only. This
 * bundle is replaced together with them.
 *
 * <p>Commands: {@code devices}, {@code objects}, {@code migrate SOURCE DESTINATION}, {@code boot SOURCE DESTINATION} (a
 * guest under traffic; answers {@code Guest[]}), {@code migrate-guest SOURCE DESTINATION}, {@code quiet} (no more
 * frames, all are through), {@code finish} (ends the traffic and answers its counts).
 */
@Component(property = "ferry.itest=exerciser")
public final class Exerciser implements Function<String, Object> {
    private static final long LIMIT_SECONDS = 60;
    private static final Duration ANY_DOWNTIME = Duration.ofMinutes(1);

    private final BundleContext context;
    private Traffic traffic;

    /** Null while there is none; a guest stays although its migration service is replaced. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile MigrationService migrations;

    @Activate
    public Exerciser(BundleContext context) {
        this.context = context;
    }

    @Deactivate
    synchronized void stop() throws Exception {
        closeTraffic();
    }

    @Override
    public synchronized Object apply(String command) {
        String[] words = command.split(" ");
        try {
            return switch (words[0]) {
                case "devices" -> devices();
                case "objects" ->
                    adapters().stream().mapToInt(EmulatedAdapter::resourceObjects).sum();
                case "migrate" -> migrate(request(words));
                case "migrate-guest" ->
                    migrate(request(words).withGuests(traffic.guests()[0], traffic.guests()[1]));
                case "boot" -> boot(words[1], words[2]);
                case "quiet" -> traffic.quiet();
                case "finish" -> finish();
                default -> throw new IllegalArgumentException("not a command: " + command);
            };
        } catch (Exception e) {
            throw new IllegalStateException(command + " failed: " + e, e);
        }
    }

    private String devices() {
        MigrationService present = migrations;
        return present == null
                ? ""
                : present.devices().stream().map(Object::toString).collect(Collectors.joining("\n"));
    }

    /** Not about downtime: a machine that is busy would predict too much of it, and refuse to pause the guest. */
    private static MigrationRequest request(String... words) {
        return MigrationRequest.of(words[1], words[2]).withMaxDowntime(ANY_DOWNTIME);
    }

    private String migrate(MigrationRequest request) throws Exception {
        Migration migration = migrations.start(request, MigrationListener.NONE);
        MigrationReport report =
                migration.result().toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
        return report.result() + report.failure().map(failure -> " " + failure).orElse("");
    }

    private Guest[] boot(String source, String destination) throws Exception {
        closeTraffic();
        traffic = new Traffic(member(source), member(destination));
        return traffic.guests();
    }

    private String finish() throws Exception {
        String counts = traffic.finish();
        closeTraffic();
        return counts;
    }

    private void closeTraffic() throws Exception {
        if (traffic != null) {
            traffic.close();
            traffic = null;
        }
    }

    private MemberPort member(String id) throws InvalidSyntaxException {
        for (EmulatedAdapter adapter : adapters()) {
            for (int member = 1; member <= adapter.members(); member++) {
                if (adapter.function(member).id().equals(id)) {
                    return new MemberPort(adapter.function(member), adapter.port(member));
                }
            }
        }
        throw new IllegalArgumentException("no emulated device is " + id);
    }

    private List<EmulatedAdapter> adapters() throws InvalidSyntaxException {
        return context.getServiceReferences(EmulatedAdapter.class, null).stream()
                .map(this::service)
                .toList();
    }

    private EmulatedAdapter service(ServiceReference<EmulatedAdapter> reference) {
        return context.getService(reference);
    }
}
