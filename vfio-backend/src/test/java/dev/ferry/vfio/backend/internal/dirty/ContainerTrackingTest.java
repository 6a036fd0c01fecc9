// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.DirtyTracker;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What a container does not tell of, and why. */
class ContainerTrackingTest extends SharedLogsFixture {

    /** The kernel's answer is the same as for a range that cuts a mapping. */
    @Test
    void shouldSayOnceThatNothingIsToldWhenSomebodyElseEndedTheRecord() throws Exception {
        DirtyTracker tracker = ofGroup("0000:3b:00.2");
        host.mapAtOnce(0, 128);
        tracker.start(PAGE, List.of(RANGE));
        new ContainerTracking(device.device(), (ContainerSpace) device.space().orElseThrow()).end();
        ListAppender<ILoggingEvent> told = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(ContainerTracking.class);
        told.start();
        logger.addAppender(told);
        try {
            assertThat(report(tracker, RANGE)).containsExactly(-1, -1);
            assertThat(report(tracker, RANGE)).containsExactly(-1, -1);
        } finally {
            logger.detachAppender(told);
        }
        assertThat(told.list).extracting(ILoggingEvent::getFormattedMessage).singleElement().asString()
                .contains("somebody else ended the record");
    }
}
