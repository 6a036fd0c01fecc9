// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.stream.RecordType;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RecordTypesTest {

    private final Logger logger = (Logger) LoggerFactory.getLogger(RecordTypes.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final RecordTypes types = new RecordTypes();
    private final FakeRecordType one = new FakeRecordType();
    private final FakeRecordType other = new FakeRecordType();

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(log);
    }

    @Test
    void shouldRefuseTagZeroWithAWarning() {
        types.add(one, Map.of(RecordType.TAG, 0));

        assertThat(types.find(0)).isEmpty();
        assertThat(types.serving()).isEmpty();
        assertThat(log.list).singleElement().satisfies(event -> {
            assertThat(event.getLevel()).isEqualTo(Level.WARN);
            assertThat(event.getFormattedMessage()).contains("tag 0");
        });
    }

    @Test
    void shouldRefuseATagThatIsNoInteger() {
        types.add(one, Map.of(RecordType.TAG, "7"));

        assertThat(types.serving()).isEmpty();
        assertThat(log.list).hasSize(1);
    }

    @Test
    void shouldServeWithTheHighestRankingAndFallBackWhenItLeaves() {
        types.add(one, Map.of(RecordType.TAG, 7, "service.ranking", 1, "service.id", 10L));
        types.add(other, Map.of(RecordType.TAG, 7, "service.ranking", 5, "service.id", 20L));
        assertThat(types.find(7)).containsSame(other);
        assertThat(types.serving()).singleElement().satisfies(entry -> assertThat(entry.type()).isSameAs(other));

        types.remove(Map.of("service.id", 20L));
        assertThat(types.find(7)).containsSame(one);
    }

    @Test
    void shouldKeepTwoTagsOfOneObjectApart() {
        types.add(one, Map.of(RecordType.TAG, 7, "service.id", 10L));
        types.add(one, Map.of(RecordType.TAG, 8, "service.id", 20L));

        types.remove(Map.of(RecordType.TAG, 7, "service.id", 10L));

        assertThat(types.find(7)).isEmpty();
        assertThat(types.find(8)).containsSame(one);
    }

    @Test
    void shouldFollowThePropertiesOfAService() {
        types.add(one, Map.of(RecordType.TAG, 7, "service.id", 10L));
        types.add(one, Map.of(RecordType.TAG, 8, "service.id", 10L));
        assertThat(types.find(7)).isEmpty();
        assertThat(types.find(8)).containsSame(one);

        types.add(one, Map.of(RecordType.TAG, 0, "service.id", 10L));
        assertThat(types.serving()).isEmpty();
    }

    @Test
    void shouldPreferTheOlderServiceOfEqualRanking() {
        types.add(other, Map.of(RecordType.TAG, 7, "service.id", 20L));
        types.add(one, Map.of(RecordType.TAG, 7, "service.id", 10L));

        assertThat(types.find(7)).containsSame(one);
    }
}
