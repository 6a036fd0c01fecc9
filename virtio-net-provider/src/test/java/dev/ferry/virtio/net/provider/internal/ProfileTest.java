// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.DeviceProfile.Exact;
import dev.ferry.device.DeviceProfile.Limits;
import dev.ferry.device.DeviceProfile.Names;
import dev.ferry.device.DeviceProfile.Trait;
import dev.ferry.device.Errno;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the driver asks a member for its profile, in bytes, and what it makes of the answers. */
class ProfileTest {

    /** Offered: bits 0, 17, 32 and 63; optional part. */
    private static final String DEV_FEATURES = header("0001", "01", "0000000000000000", 8) + "0100020001000080";
    /** Taken: bits 0 and 32. */
    private static final String DRV_FEATURES = header("0101", "00", "0000000000000000", 8) + "0100000001000000";

    private static final String NUM_QUEUES = header("0201", "00", "1200000000000000", 2) + "0300";
    private static final String QUEUE_SELECT = header("0201", "00", "1600000000000000", 2) + "0100";
    private static final String STATUS = header("0301", "00", "0000000000000000", 1) + "0f";
    private static final String QUEUE_0 = header("0401", "00", "0000000000000000", 32) + "0001" + "00".repeat(30);
    private static final String QUEUE_2 = header("0401", "00", "0200000000000000", 32) + "4000" + "00".repeat(30);
    private static final String NOTIFY_0 = header("0501", "00", "0000000000000000", 8) + "00".repeat(8);
    private static final String MAC = header("0002", "00", "0101000000000000", 6) + "020000000001";

    private final FakeResettableQueue queue = new FakeResettableQueue();
    private Fixture fixture;
    private List<String> parts;
    private final List<String> kept = new ArrayList<>();
    private String selected;

    private static String header(String type, String flags, String selector, int length) {
        return type + flags + "00" + selector + "%02x000000".formatted(length);
    }

    @BeforeEach
    void setUp() throws Exception {
        fixture = new Fixture(queue);
        parts = new ArrayList<>(List.of(
                DEV_FEATURES, DRV_FEATURES, NUM_QUEUES, QUEUE_SELECT, STATUS, QUEUE_0, QUEUE_2, NOTIFY_0, MAC));
        queue.scripts.put(FakeAdminQueue.METADATA_GET, this::metadata);
        queue.scripts.put(FakeAdminQueue.PARTS_GET, writable -> {
            selected = queue.commands.get(queue.commands.size() - 1).substring(2 * 40);
            return answer(writable, String.join("", parts.stream()
                    .filter(part -> selected.contains(part.substring(0, 32)) && !kept.contains(part))
                    .toList()));
        });
    }

    private CompletableFuture<Integer> metadata(ByteBuffer[] writable) {
        String command = queue.commands.get(queue.commands.size() - 1);
        String count = "%02x00000000000000".formatted(parts.size());
        return answer(writable, switch (command.substring(2 * 32, 2 * 33)) {
            case "01" -> count;
            case "02" -> count + String.join("", parts.stream().map(part -> part.substring(0, 32)).toList());
            default -> "1100000000000000";
        });
    }

    private static CompletableFuture<Integer> answer(ByteBuffer[] writable, String result) {
        return CompletableFuture.completedFuture(
                FakeAdminQueue.put(writable, FakeAdminQueue.hex("0000000000000000" + result)));
    }

    private DeviceProfile profile() throws DeviceException {
        return fixture.driver.profile().orElseThrow();
    }

    private static Trait trait(List<Trait> traits, String name) {
        return traits.stream().filter(trait -> trait.name().equals(name)).findFirst().orElseThrow();
    }

    private static boolean names(List<Trait> traits, String name) {
        return traits.stream().anyMatch(trait -> trait.name().equals(name));
    }

    @Test
    void shouldAskThroughATemporaryObjectWithWholeUnits() throws Exception {
        profile();

        String object = "0000000000000000";
        assertThat(queue.commands).containsExactly(
                Fixture.create(0, 0),
                "0e00" + Fixture.TO_MEMBER + object + "0100000000000000",
                "0e00" + Fixture.TO_MEMBER + object + "0200000000000000",
                "0f00" + Fixture.TO_MEMBER + object + "0000000000000000"
                        + DEV_FEATURES.substring(0, 32)
                        + DRV_FEATURES.substring(0, 32)
                        + NUM_QUEUES.substring(0, 32)
                        + STATUS.substring(0, 32)
                        + QUEUE_0.substring(0, 32)
                        + QUEUE_2.substring(0, 32),
                Fixture.destroy(0));
        assertThat(queue.objects).isEmpty();
        assertThat(fixture.owner.ids().taken()).isZero();
        assertThat(queue.writables)
                .allSatisfy(writable -> assertThat(FakeAdminQueue.join(writable).length % 8).isZero());
    }

    @Test
    void shouldTellWhatTheStateAsksFor() throws Exception {
        List<Trait> asks = profile().asks();

        assertThat(((Names) trait(asks, "record tags")).values()).containsExactly("0");
        assertThat(((Exact) trait(asks, "offered features")).values())
                .containsExactlyInAnyOrder("NET_CSUM", "NET_CTRL_VQ", "VERSION_1", "bit63");
        assertThat(((Names) trait(asks, "negotiated features")).values())
                .containsExactlyInAnyOrder("NET_CSUM", "VERSION_1");
        assertThat(((Names) trait(asks, "device parts")).values()).containsExactlyInAnyOrder(
                "DRV_FEATURES of 8 bytes",
                "PCI_COMMON_CFG field 18 of 2 bytes",
                "PCI_COMMON_CFG field 22 of 2 bytes",
                "DEVICE_STATUS of 1 bytes",
                "VQ_CFG of queue 0 of 32 bytes",
                "VQ_CFG of queue 2 of 32 bytes",
                "VQ_NOTIFY_CFG of queue 0 of 8 bytes",
                "NET_CVQ_CFG MAC_ADDR_SET");
        assertThat(((Exact) trait(asks, "number of queues")).values()).containsExactly("3");
        assertThat(((Limits) trait(asks, "queue size")).values())
                .isEqualTo(Map.of("queue 0", 256L, "queue 2", 64L));
    }

    @Test
    void shouldTakePartsOfControlCommandsWhoseFeatureIsOffered() throws Exception {
        parts.set(0, header("0001", "01", "0000000000000000", 8) + "0000040000000000"); // bit 18, CTRL_RX

        Names taken = (Names) trait(profile().takes(), "device parts");

        assertThat(taken.values())
                .contains("NET_CVQ_CFG RX_PROMISC", "NET_CVQ_CFG MAC_TABLE_SET", "NET_CVQ_CFG MAC_ADDR_SET")
                .doesNotContain("NET_CVQ_CFG VLAN_ADD", "NET_CVQ_CFG RX_NOUNI", "NET_CVQ_CFG MQ_VQ_PAIRS_SET");
    }

    @Test
    void shouldKnowTheLargestQueueOnlyWhileNoDriverUsesTheDevice() throws Exception {
        assertThat(names(profile().takes(), "queue size")).isFalse();

        parts.set(4, STATUS.substring(0, 32) + "00");

        assertThat(((Limits) trait(profile().takes(), "queue size")).values()).containsEntry("queue 0", 256L);
        assertThat(names(profile().asks(), "negotiated features")).isFalse();
    }

    @Test
    void shouldDoWithoutPartsThatADeviceDoesNotHave() throws Exception {
        parts.remove(DEV_FEATURES);
        parts.remove(NUM_QUEUES);

        DeviceProfile profile = profile();

        assertThat(names(profile.asks(), "offered features")).isFalse();
        assertThat(names(profile.takes(), "negotiated features")).isFalse();
        assertThat(names(profile.asks(), "number of queues")).isFalse();
        assertThat(((Names) trait(profile.takes(), "device parts")).values()).contains("NET_CVQ_CFG VLAN_ADD");
    }

    @Test
    void shouldRefuseAnAnswerWithoutAPartThatWasListed() {
        Map<String, String> telling = Map.of(
                DEV_FEATURES, "DEV_FEATURES of 8 bytes",
                DRV_FEATURES, "DRV_FEATURES of 8 bytes",
                NUM_QUEUES, "PCI_COMMON_CFG field 18 of 2 bytes",
                STATUS, "DEVICE_STATUS of 1 bytes",
                QUEUE_0, "VQ_CFG of queue 0 of 32 bytes",
                QUEUE_2, "VQ_CFG of queue 2 of 32 bytes");
        telling.forEach((part, name) -> {
            kept.add(part);
            assertRefused("member 3 of host1/pf0", "1 of 6 device parts", name);
            kept.clear();
        });
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldRefuseAnAnswerWithoutAnyPart() {
        kept.addAll(parts);
        assertRefused("member 3 of host1/pf0", "6 of 6 device parts", "DEV_FEATURES");

        kept.clear();
        queue.scripts.put(FakeAdminQueue.PARTS_GET, writable -> CompletableFuture.completedFuture(0));
        assertRefused("member 3 of host1/pf0", "6 of 6 device parts", "DEV_FEATURES");
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldRefuseAPartOfAnotherLengthThanWasListed() {
        queue.scripts.put(FakeAdminQueue.PARTS_GET, writable -> answer(
                writable,
                header("0001", "01", "0000000000000000", 4) + "01000200"
                        + DRV_FEATURES + NUM_QUEUES + STATUS + QUEUE_0 + QUEUE_2));

        assertRefused("member 3 of host1/pf0", "1 of 6 device parts", "DEV_FEATURES of 8 bytes");
    }

    private void assertRefused(String... message) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(this::profile)
                .withMessageContainingAll(message)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }

    @Test
    void shouldRefuseAListThatMakesNoSense() {
        for (String count : List.of("0000000000000000", "ffffffff00000000", "0100040000000000")) {
            queue.scripts.put(FakeAdminQueue.METADATA_GET, writable -> answer(writable, count));
            assertRefused("member 3 of host1/pf0");
        }
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldRefuseAListThatIsCutOff() {
        String headers = String.join("", parts.stream().map(part -> part.substring(0, 32)).toList());
        // In front of a header, in the middle of one, and before its last byte.
        Map<Integer, Integer> given = Map.of(0, 0, 16, 1, 8 * 16, 8, 8, 0, 8 * 16 + 8, 8, 9 * 16 - 1, 8);
        given.forEach((bytes, whole) -> {
            list("0900000000000000" + headers.substring(0, 2 * bytes));
            assertRefused("member 3 of host1/pf0", "lists 9 device parts", "the headers of %d".formatted(whole));
        });
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldRefuseAListOfMoreThanItGives() {
        list("0a00000000000000" + String.join("", parts.stream().map(part -> part.substring(0, 32)).toList()));
        assertRefused("member 3 of host1/pf0", "lists 10 device parts", "the headers of 9");

        list("");
        assertRefused("member 3 of host1/pf0", "0 device parts");
        assertThat(queue.objects).isEmpty();
    }

    /** The answer to LIST; the count is told as it is. */
    private void list(String answer) {
        queue.scripts.put(FakeAdminQueue.METADATA_GET, writable ->
                queue.commands.get(queue.commands.size() - 1).startsWith("02", 2 * 32)
                        ? answer(writable, answer)
                        : metadata(writable));
    }

    @Test
    void shouldAskForTheListAgainWithMoreSpaceWithinABound() {
        queue.scripts.put(FakeAdminQueue.METADATA_GET, writable ->
                queue.commands.get(queue.commands.size() - 1).startsWith("02", 2 * 32)
                        ? CompletableFuture.completedFuture(
                                FakeAdminQueue.put(writable, FakeAdminQueue.hex("0c00060000000000")))
                        : answer(writable, "0200000000000000"));

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(this::profile)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));

        assertThat(queue.writables.stream().map(writable -> FakeAdminQueue.join(writable).length))
                .contains(8 + 40 + 8, 8 + 72 + 8, 8 + 136 + 8);
        assertThat(queue.count(FakeAdminQueue.METADATA_GET)).isEqualTo(4);
        assertThat(queue.objects).isEmpty();
    }
}
