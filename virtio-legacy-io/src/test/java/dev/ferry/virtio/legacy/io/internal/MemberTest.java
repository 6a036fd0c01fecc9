// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Of which drivers a member is told that its owner device is set up. */
class MemberTest {

    private final Map<String, Object> properties = new HashMap<>(Map.of(
            MigrationDriver.OWNER, "host1/pf0",
            MigrationDriver.MEMBER, 3,
            MigrationDriver.DEVICE_ID, "host1/pf0/vf3",
            MigrationDriver.HOST, "host1"));

    @Test
    void shouldBeTheMemberOfItsDriver() {
        assertThat(Member.of(properties)).contains(new Member("host1/pf0", 3, "host1/pf0/vf3", "host1"));
    }

    @Test
    void shouldBeNoneWhenTheOwnerDeviceCouldNotBeSetUp() {
        properties.put(MigrationDriver.NOT_MIGRATABLE, "host1/pf0 allows no device parts objects");

        assertThat(Member.of(properties)).isEmpty();
    }

    @Test
    void shouldBeNoneWhenTheDriverIsOfNoMember() {
        properties.remove(MigrationDriver.MEMBER);

        assertThat(Member.of(properties)).isEmpty();
    }
}
