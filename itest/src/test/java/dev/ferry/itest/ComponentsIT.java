// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.itest.harness.Adapters;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.Components;
import dev.ferry.itest.harness.Container;
import dev.ferry.itest.harness.FerryBundle;
import javax.inject.Inject;
import java.util.Arrays;
import java.util.List;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** Every bundle runs and every component of every bundle has what it needs. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ComponentsIT {
    @Inject
    private BundleContext context;

    @Configuration
    public Option[] container() {
        return Container.ferry();
    }

    @Test
    public void shouldStartEveryBundle() {
        for (FerryBundle ferry : FerryBundle.values()) {
            assertThat(Arrays.stream(context.getBundles())
                            .filter(bundle -> bundle.getSymbolicName().equals(ferry.symbolicName()))
                            .map(Bundle::getState))
                    .as("state of %s", ferry.symbolicName())
                    .containsExactly(Bundle.ACTIVE);
        }
    }

    @Test
    public void shouldSatisfyEveryComponent() throws Exception {
        try (Adapters adapters = new Adapters(context)) {
            adapters.twoHosts(1);
            Await.until(
                    context,
                    "every component satisfied",
                    () -> Components.unsatisfied(context).isEmpty(),
                    () -> Components.report(context));
            assertThat(Components.names(context))
                    .extracting(name -> name.substring(0, name.indexOf(' ')))
                    .containsAll(bundlesWithComponents());
        }
    }

    private static List<String> bundlesWithComponents() {
        return Arrays.stream(FerryBundle.values())
                .filter(bundle -> bundle != FerryBundle.API)
                .map(FerryBundle::symbolicName)
                .toList();
    }
}
