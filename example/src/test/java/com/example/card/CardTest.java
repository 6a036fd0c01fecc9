// SPDX-License-Identifier: Apache-2.0
package com.example.card;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.ferry.contract.Check;
import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.device.MigrationDriver;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The card does what Ferry demands of every driver. */
class CardTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** With STOP_COPY and PRE_COPY, without P2P and a dirty tracker: a feature that goes missing is noticed. */
    private static final int CHECKS = 39;

    private record Cards(MigrationDriver source, MigrationDriver destination) implements DriverSubject {}

    @TestFactory
    Stream<DynamicTest> contract() throws Exception {
        List<Check> checks =
                new DriverContract(() -> new Cards(new Card("what the card holds"), new Card(""))).checks();
        assertEquals(CHECKS, checks.size());
        return checks.stream()
                .map(check -> DynamicTest.dynamicTest(
                        check.name(), () -> assertTimeoutPreemptively(LIMIT, check::run)));
    }
}
