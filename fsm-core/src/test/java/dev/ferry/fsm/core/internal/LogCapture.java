// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.slf4j.LoggerFactory;

/** What a class tells the log. */
final class LogCapture {

    private LogCapture() {}

    /** The errors of a class during an action. */
    static List<String> errorsOf(Class<?> type, Runnable action) {
        Logger logger = (Logger) LoggerFactory.getLogger(type);
        ListAppender<ILoggingEvent> kept = new ListAppender<>();
        kept.start();
        logger.setLevel(Level.ERROR);
        logger.setAdditive(false);
        logger.addAppender(kept);
        try {
            action.run();
        } finally {
            logger.detachAppender(kept);
            logger.setLevel(null);
            logger.setAdditive(true);
        }
        return kept.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }
}
