// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.itest.harness.Adapters;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.Bundles;
import dev.ferry.itest.harness.Container;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.HandoverSocket;
import dev.ferry.itest.harness.Leftovers;
import dev.ferry.itest.harness.SystemPicture;
import dev.ferry.itest.harness.TestBundle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/**
 * Deployed, used and undeployed again and again, the bundles leave nothing behind. This class must not use any type of
 * Ferry's, since that would wire it to a bundle that is to go.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class RedeployIT {
    private static final int ROUNDS = 20;
    private static final int MEMBERS = 2;

    /** Rounds in which one bundle alone is replaced. */
    private static final int ROUNDS_OF_ONE = 50;

    private static final String DRIVER = "dev.ferry.device.MigrationDriver";
    private static final String LEGACY_IO = "dev.ferry.legacy.LegacyIo";

    @Inject
    private BundleContext context;

    private final Leftovers leftovers = new Leftovers();

    @Configuration
    public Option[] container() throws Exception {
        TestBundle.EXERCISER.make();
        return Container.withoutFerry();
    }

    @Test
    public void shouldLeaveNothingBehindWhenRedeployedManyTimes() throws Exception {
        List<String> withoutApi = new ArrayList<>(List.of(TestBundle.EXERCISER.location()));
        Stream.of(FerryBundle.values())
                .filter(bundle -> bundle != FerryBundle.API)
                .forEach(bundle -> withoutApi.add(bundle.location()));
        List<String> all = new ArrayList<>(withoutApi);
        all.add(FerryBundle.API.location());

        try (Adapters adapters = new Adapters(context);
                HandoverSocket handover = new HandoverSocket(context)) {
            adapters.twoHosts(MEMBERS);
            round("with the api", all, handover);
            Bundle api = context.installBundle(FerryBundle.API.location());
            for (int round = 1; round <= ROUNDS; round++) {
                round("round " + round, withoutApi, handover);
            }
            undeploy("at last", List.of(api));
        }
        assertThat(leftovers.size()).isGreaterThan(ROUNDS * withoutApi.size());
        assertThat(leftovers.loaders()).as("class loaders left behind").isEmpty();
    }

    @Test
    public void shouldLeaveNothingOfAProviderBehindWhenItAloneIsReplaced() throws Exception {
        for (FerryBundle bundle : FerryBundle.values()) {
            new Bundles(context).install(bundle);
        }
        for (FerryBundle bundle : FerryBundle.values()) {
            new Bundles(context).get(bundle).start();
        }
        try (Adapters adapters = new Adapters(context)) {
            adapters.twoHosts(MEMBERS);
            adapters.create(Map.of("host", "host3", "name", "pf0", "members", MEMBERS, "commands", "context"));
            replace(FerryBundle.VIRTIO_NET_PROVIDER, DRIVER, "(&(ferry.owner.id=host1/pf0)(ferry.backend=virtio))");
            replace(FerryBundle.VIRTIO_CONTEXT_PROVIDER, DRIVER, "(ferry.owner.id=host3/pf0)");
            replace(FerryBundle.VIRTIO_LEGACY_IO, LEGACY_IO, "(ferry.owner.id=host1/pf0)");
        } finally {
            uninstallAll();
        }
        assertThat(leftovers.size()).isEqualTo(3 * ROUNDS_OF_ONE);
        assertThat(leftovers.loaders()).as("class loaders left behind").isEmpty();
    }

    private void uninstallAll() throws Exception {
        List<Bundle> uninstalled = new ArrayList<>();
        for (FerryBundle bundle : FerryBundle.values()) {
            Bundle installed = new Bundles(context).get(bundle);
            installed.uninstall();
            uninstalled.add(installed);
        }
        new Bundles(context).refresh(uninstalled);
    }

    /** Replaces one bundle again and again, each time when what it registers for its members is there. */
    private void replace(FerryBundle bundle, String service, String filter) throws Exception {
        Bundles bundles = new Bundles(context);
        for (int round = 1; round <= ROUNDS_OF_ONE; round++) {
            Bundle installed = bundles.get(bundle);
            Await.until(context, bundle + " " + round, () -> services(service, filter) == MEMBERS);
            installed.stop();
            assertThat(services(service, filter)).as("services of %s", bundle).isZero();
            undeploy(bundle + " " + round, List.of(installed));
            bundles.install(bundle).start();
        }
    }

    private int services(String service, String filter) throws InvalidSyntaxException {
        ServiceReference<?>[] found = context.getAllServiceReferences(service, filter);
        return found == null ? 0 : found.length;
    }

    private void round(String name, List<String> locations, HandoverSocket handover) throws Exception {
        List<Bundle> installed = new ArrayList<>();
        for (String location : locations) {
            installed.add(context.installBundle(location));
        }
        for (Bundle bundle : installed) {
            bundle.start();
        }
        SystemPicture.whenSettled(context, 2 * MEMBERS);
        migrateUnderTraffic(name);
        handover.awaitListening(name);
        for (Bundle bundle : installed) {
            bundle.stop();
        }
        assertThat(handover.isThere()).as("%s: the socket of the handover", name).isFalse();
        undeploy(name, installed);
        Await.until(
                context,
                name + ": no thread left behind",
                () -> Leftovers.threads().isEmpty(),
                Leftovers::threads);
    }

    private void migrateUnderTraffic(String round) throws Exception {
        @SuppressWarnings("unchecked")
        Function<String, Object> exerciser =
                Await.service(context, Function.class, "(ferry.itest=exerciser)");
        exerciser.apply("boot host1/pf0/vf1 host2/pf0/vf1");
        assertThat(exerciser.apply("migrate-guest host1/pf0/vf1 host2/pf0/vf1"))
                .as(round)
                .isEqualTo("COMPLETED");
        assertThat(exerciser.apply("finish")).asString().as(round).contains("lost=0 duplicated=0 reordered=0");
        assertThat(exerciser.apply("objects")).as("%s: resource objects", round).isEqualTo(0);
    }

    private void undeploy(String name, List<Bundle> bundles) throws Exception {
        for (Bundle bundle : bundles) {
            if (bundle.getState() != Bundle.RESOLVED && bundle.getState() != Bundle.ACTIVE) {
                throw new AssertionError(name + ": " + bundle + " is in state " + bundle.getState());
            }
            leftovers.remember(name, bundle);
        }
        for (Bundle bundle : bundles) {
            bundle.uninstall();
        }
        new Bundles(context).refresh(bundles);
    }
}
