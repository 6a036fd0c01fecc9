// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/** Collects what some classes log, until it is closed. */
public final class LogCapture implements AutoCloseable {

    private final List<Logger> loggers;
    private final ListAppender<ILoggingEvent> events = new ListAppender<>();

    /** Collects from now on. */
    public LogCapture(Class<?>... types) {
        loggers = Stream.of(types).map(type -> (Logger) LoggerFactory.getLogger(type)).toList();
        events.start();
        loggers.forEach(logger -> {
            logger.setAdditive(false);
            logger.addAppender(events);
        });
    }

    /** The errors. */
    public List<String> errors() {
        return messages(Level.ERROR);
    }

    /** The warnings. */
    public List<String> warnings() {
        return messages(Level.WARN);
    }

    private List<String> messages(Level level) {
        return events.list.stream()
                .filter(event -> event.getLevel() == level)
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    @Override
    public void close() {
        loggers.forEach(logger -> {
            logger.detachAppender(events);
            logger.setAdditive(true);
        });
    }
}
