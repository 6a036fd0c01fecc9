// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import dev.ferry.itest.harness.Adapters;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.Bundles;
import dev.ferry.itest.harness.Container;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.SystemPicture;
import dev.ferry.itest.harness.TestBundle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
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

/** In whatever order the bundles start, the same system comes out. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class StartOrderIT {
    private static final int ORDERS = 6;
    private static final int MEMBERS = 3;

    @Inject
    private BundleContext context;

    @Configuration
    public Option[] container() throws Exception {
        TestBundle.EXERCISER.make();
        return Container.withoutFerry();
    }

    @Test
    public void shouldEndInSameSystemWhenStartedInAnyOrder() throws Exception {
        long seed = Long.getLong("ferry.seed", 0);
        seed = seed == 0 ? System.nanoTime() : seed;
        try (Adapters adapters = new Adapters(context)) {
            adapters.twoHosts(MEMBERS);
            inManyOrders(seed);
        } catch (Exception | AssertionError e) {
            throw new AssertionError("with -Dferry.seed=" + seed + ": " + e.getMessage(), e);
        }
    }

    private void inManyOrders(long seed) throws Exception {
        Random random = new Random(seed);
        List<String> locations = locations();
        SystemPicture first = null;
        for (int order = 0; order < ORDERS; order++) {
            List<Bundle> installed = new ArrayList<>();
            for (String location : locations) {
                installed.add(context.installBundle(location));
            }
            Collections.shuffle(installed, random);
            for (Bundle bundle : installed) {
                bundle.start();
            }
            SystemPicture picture = SystemPicture.whenSettled(context, 2 * MEMBERS);
            first = first == null ? picture : first;
            awaitSame(first, installed);
            Collections.shuffle(installed, random);
            for (Bundle bundle : installed) {
                bundle.uninstall();
            }
            new Bundles(context).refresh(installed);
            Collections.shuffle(locations, random);
        }
    }

    private void awaitSame(SystemPicture first, List<Bundle> order) throws Exception {
        Await.until(
                context,
                "the same system when started in the order " + order,
                () -> SystemPicture.of(context).equals(first),
                () -> first.difference(SystemPicture.of(context)));
    }

    private static List<String> locations() {
        return new ArrayList<>(Stream.concat(
                        Stream.of(FerryBundle.values()).map(FerryBundle::location),
                        Stream.of(TestBundle.EXERCISER.location()))
                .toList());
    }
}
