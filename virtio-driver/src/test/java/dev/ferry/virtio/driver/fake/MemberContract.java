// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.fake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.ferry.contract.Check;
import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.virtio.driver.MemberDriver;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** The vendor contract for drivers of members, as dynamic tests. */
public final class MemberContract {

    /** With P2P, PRE_COPY and dirty tracking: a feature that goes missing must not pass for a success. */
    private static final int CHECKS = 54;

    /** So that a driver that hangs fails. */
    private static final Duration LIMIT = Duration.ofMinutes(1);

    private MemberContract() {}

    /** All checks, each with members of its own. */
    public static Stream<DynamicTest> of(DriverContract.Subjects members) throws Exception {
        List<Check> checks = new DriverContract(members).checks();
        assertThat(checks).hasSize(CHECKS);
        return checks.stream()
                .map(check -> DynamicTest.dynamicTest(
                        check.name(), () -> assertTimeoutPreemptively(LIMIT, check::run)));
    }

    /**
     * Two members of one owner device.
     *
     * @param last what is done when both drivers have departed
     */
    public record Members(MemberDriver source, MemberDriver destination, Runnable last) implements DriverSubject {
        @Override
        public void close() {
            source.depart();
            destination.depart();
            last.run();
        }
    }
}
