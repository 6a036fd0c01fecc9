// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import org.junit.After;
import org.junit.Before;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;

/** A test whose guests an exerciser drives: see {@link GuestRun}. */
public abstract class GuestIT extends FerryIT {
    @Override
    @Configuration
    public final Option[] container() throws Exception {
        TestBundle.EXERCISER.make();
        return super.container();
    }

    @Before
    public final void deployExerciser() throws Exception {
        bundles.deploy(TestBundle.EXERCISER);
    }

    @After
    public final void withdrawExerciser() throws Exception {
        bundles.find(TestBundle.EXERCISER.symbolicName()).orElseThrow().uninstall();
    }
}
