// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import dev.ferry.migration.MigrationService;
import java.util.List;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.BundleContext;

/**
 * A test in a framework with all bundles of Ferry. It has no device until the test configures an adapter; what it
 * configured with {@link #adapters} is gone after it.
 */
@RunWith(PaxExam.class)
public abstract class FerryIT {
    /** The first VF of each of {@link Adapters#twoHosts}. */
    protected static final String SOURCE = "host1/pf0/vf1";

    protected static final String DESTINATION = "host2/pf0/vf1";

    @Inject
    protected BundleContext context;

    protected Bundles bundles;
    protected Adapters adapters;
    protected MigrationService migrations;

    /** What is in the framework; who needs more overrides it, annotated again. */
    @Configuration
    public Option[] container() throws Exception {
        return Container.ferry();
    }

    @Before
    public final void begin() throws Exception {
        bundles = new Bundles(context);
        adapters = new Adapters(context);
        migrations = Await.service(context, MigrationService.class);
    }

    @After
    public final void deleteAdapters() throws Exception {
        adapters.close();
    }

    /** Returns once all these devices are there, others or not. */
    protected final void awaitDevices(String... ids) throws Exception {
        for (String device : List.of(ids)) {
            Await.until(context, device, () -> migrations.device(device).isPresent(), migrations::devices);
        }
    }
}
