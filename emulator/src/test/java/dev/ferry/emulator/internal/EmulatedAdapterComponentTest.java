// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionDirtyTracking;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EmulatedAdapterComponentTest {

    private final FakeFramework framework = new FakeFramework();
    private final OwnerIds ownerIds = new OwnerIds();
    private final LogCapture log = new LogCapture(EmulatedAdapterComponent.class, ConfigurationOutcome.class);

    @AfterEach
    void stopCapturing() {
        log.close();
    }

    private EmulatedAdapterComponent activate(Map<String, Object> keys) {
        return new EmulatedAdapterComponent(framework.context, ownerIds, configuration(keys), pid(keys));
    }

    private static void modify(EmulatedAdapterComponent component, Map<String, Object> keys) {
        component.modified(configuration(keys), pid(keys));
    }

    private static Map<String, Object> pid(Map<String, Object> keys) {
        return Map.of("service.pid", EmulatedAdapterComponent.PID + "~" + keys.get("name"));
    }

    private static Map<String, Object> keys(Object... keysAndValues) {
        Map<String, Object> keys = new HashMap<>(Map.of("host", "host1", "name", "pf0"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            keys.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return keys;
    }

    /** What the service component runtime makes of a configuration: defaults, and errors when values are asked for. */
    private static AdapterConfiguration configuration(Map<String, Object> keys) {
        return (AdapterConfiguration) Proxy.newProxyInstance(
                AdapterConfiguration.class.getClassLoader(),
                new Class<?>[] {AdapterConfiguration.class},
                (proxy, method, arguments) -> value(keys, method));
    }

    private static Object value(Map<String, Object> keys, Method method) {
        if (method.getDeclaringClass() == Annotation.class) {
            return AdapterConfiguration.class;
        }
        Object value = keys.getOrDefault(method.getName(), method.getDefaultValue());
        if (value instanceof String text && method.getReturnType() == int.class) {
            return Integer.parseInt(text);
        }
        return value;
    }

    private EmulatedAdapter adapter() {
        return (EmulatedAdapter) framework.service().object;
    }

    private void assertProperties(String owner, String host, int members) {
        Dictionary<?, ?> properties = framework.service().properties;
        assertThat(properties.get("ferry.owner.id")).isEqualTo(owner);
        assertThat(properties.get("ferry.host")).isEqualTo(host);
        assertThat(properties.get("ferry.owner.members")).isEqualTo(members);
        assertThat(properties.get("ferry.owner.member.type")).isEqualTo("virtio-net");
    }

    @Test
    void shouldPublishOneServiceWithItsProperties() {
        activate(keys("members", 3));
        assertThat(framework.service().names)
                .containsExactly(
                        "dev.ferry.virtio.AdminQueue",
                        "dev.ferry.virtio.FunctionReset",
                        "dev.ferry.virtio.FunctionAccess",
                        "dev.ferry.virtio.FunctionDirtyTracking",
                        "dev.ferry.emulator.control.EmulatedAdapter");
        assertProperties("host1/pf0", "host1", 3);
        assertThat(adapter().members()).isEqualTo(3);
        assertThat(log.errors()).isEmpty();
    }

    @Test
    void shouldWarnInOneSentenceWhenKeysMeanNothing() {
        Map<String, Object> properties = Map.of("service.pid", "x", "component.id", 7L, "host", "h", "name", "p",
                "queuePairs", 1, "queuepairs", 2, "legacyy", true);
        new EmulatedAdapterComponent(framework.context, ownerIds, configuration(keys()), properties);
        assertThat(log.warnings()).hasSize(1);
        assertThat(log.warnings().get(0)).startsWith("The configuration x of an emulated adapter has keys without"
                + " effect: legacyy, queuepairs; the keys are adminQueues, commands, ");
        assertThat(log.errors()).isEmpty();
    }

    @Test
    void shouldTrackWritesUnlessItIsConfiguredNotTo() {
        EmulatedAdapterComponent component = activate(keys());
        assertThat(((FunctionDirtyTracking) adapter()).dirtyTracker(1)).isPresent();
        modify(component, keys("dirtyTracking", false));
        assertThat(((FunctionDirtyTracking) adapter()).dirtyTracker(1)).isEmpty();
    }

    @Test
    void shouldTakeTimeForCommandsAsConfigured() throws Exception {
        EmulatedAdapterComponent component = activate(keys("latency", "none, stop=60s", "adminQueues", 2));
        CompletableFuture<Integer> stop = submit("0100 0100 000000000000000000000000 0000000000000000 80e7030000000000")
                .thenCompose(used -> submit("1100 0100 000000000000000000000000 0200000000000000 01"));
        // The second member is not in the queue of commands for the group.
        submit("0000 0100 000000000000000000000000 0000000000000000").get(10, TimeUnit.SECONDS);
        assertThat(stop).isNotDone();
        component.delete();
        assertThat(stop).isCompletedExceptionally();
    }

    private CompletableFuture<Integer> submit(String readable) {
        ByteBuffer command = ByteBuffer.wrap(HexFormat.of().parseHex(readable.replace(" ", "")));
        return ((AdminQueue) adapter())
                .submit(new ByteBuffer[] {command}, new ByteBuffer[] {ByteBuffer.allocate(64)})
                .toCompletableFuture();
    }

    @Test
    void shouldSayWhatIsWrongWithALatency() {
        activate(keys("latency", "slow"));
        assertThat(framework.services()).isEmpty();
        assertThat(log.errors().get(0))
                .contains("latency must begin with the profile none or smartnic, but has 'slow'");
    }

    @Test
    void shouldChangeTheNumberOfMembersInPlace() {
        EmulatedAdapterComponent component = activate(keys("members", 3));
        EmulatedAdapter adapter = adapter();
        Object second = adapter.function(2);

        modify(component, keys("members", 5));
        assertProperties("host1/pf0", "host1", 5);
        assertThat(adapter()).isSameAs(adapter);
        assertThat(adapter.members()).isEqualTo(5);

        framework.service().listener =
                () -> assertThat(adapter.members()).as("not removed before it is told").isEqualTo(5);
        modify(component, keys("members", 2));
        assertProperties("host1/pf0", "host1", 2);
        assertThat(adapter.members()).isEqualTo(2);
        assertThat(adapter.function(2)).isSameAs(second);
    }

    private void disableVfs() {
        adapter().ownerFunction().writeConfig(0x108, 2, 0);
    }

    /** NumVFs, then VF Enable, in the capability at 0x100. */
    private void enableVfs(int count) {
        disableVfs();
        adapter().ownerFunction().writeConfig(0x110, 2, count);
        adapter().ownerFunction().writeConfig(0x108, 2, 1);
    }

    @Test
    void shouldTellTheMembersThatTheDriverEnables() {
        activate(keys("members", 3));
        disableVfs();
        assertProperties("host1/pf0", "host1", 0);
        enableVfs(6);
        assertProperties("host1/pf0", "host1", 6);
        framework.service().listener = () -> {
            if (adapter().members() == 0) {
                framework.service().listener = () -> {};
                enableVfs(2);
            }
        };
        disableVfs();
        assertProperties("host1/pf0", "host1", 2);
        assertThat(adapter().members()).isEqualTo(2);
    }

    @Test
    void shouldLeaveTheDriversNumberAloneUntilTheConfigurationHasAnother() {
        EmulatedAdapterComponent component = activate(keys("members", 3));
        enableVfs(1);
        modify(component, keys("members", 3));
        assertProperties("host1/pf0", "host1", 1);
        modify(component, keys("members", 4));
        assertProperties("host1/pf0", "host1", 4);
        assertThat(adapter().members()).isEqualTo(4);
    }

    @Test
    void shouldNotFailTheDriverWhenTheAdapterIsGone() {
        EmulatedAdapterComponent component = activate(keys("members", 3));
        EmulatedAdapter adapter = adapter();
        framework.service().listener = () -> adapter.ownerFunction().writeConfig(0x108, 2, 0);
        component.delete();
        assertThat(adapter.members()).isZero();
        adapter.ownerFunction().writeConfig(0x108, 2, 1);
        assertThat(adapter.members()).isZero();
    }

    @Test
    void shouldMakeANewAdapterOnAnyOtherChange() {
        EmulatedAdapterComponent component = activate(keys());
        EmulatedAdapter before = adapter();
        modify(component, keys("queuePairs", 2));
        assertThat(adapter()).isNotSameAs(before);
        assertThat(before.members()).isZero();
        assertProperties("host1/pf0", "host1", 4);
    }

    @Test
    void shouldFreeTheOldIdWhenRenamed() {
        EmulatedAdapterComponent component = activate(keys());
        modify(component, keys("host", "host2"));
        assertProperties("host2/pf0", "host2", 4);
        activate(keys());
        assertThat(framework.services()).hasSize(2);
        assertThat(log.errors()).isEmpty();
    }

    @Test
    void shouldWithdrawTheServiceBeforeTheDeviceGoes() {
        EmulatedAdapterComponent component = activate(keys());
        EmulatedAdapter adapter = adapter();
        framework.service().listener = () -> assertThat(adapter.members()).isEqualTo(4);
        component.delete();
        assertThat(framework.services()).isEmpty();
        assertThat(adapter.members()).isZero();
        activate(keys());
        assertThat(framework.services()).hasSize(1);
    }

    @Test
    void shouldKeepTheLastGoodConfiguration() {
        EmulatedAdapterComponent component = activate(keys("members", 3));
        EmulatedAdapter adapter = adapter();
        modify(component, keys("members", 3, "queueSize", 100));
        assertThat(log.errors())
                .containsExactly("The configuration dev.ferry.emulator.adapter~pf0 of an emulated adapter is not valid,"
                        + " so the adapter stays as it was: queueSize must be a power of two, but is 100.");
        assertThat(adapter()).isSameAs(adapter);
        modify(component, keys("members", 4));
        assertThat(adapter().members()).isEqualTo(4);
    }

    @Test
    void shouldWaitForABetterConfigurationWhenTheFirstIsWrong() {
        EmulatedAdapterComponent component = activate(keys("members", "many"));
        assertThat(framework.services()).isEmpty();
        assertThat(log.errors()).singleElement().asString().contains("members", "many", "so there is no such adapter");
        modify(component, keys("members", "2"));
        assertProperties("host1/pf0", "host1", 2);
        component.delete();
        assertThat(framework.services()).isEmpty();
    }

    @Test
    void shouldAnswerEachConfigurationByAServiceOfItsOwn() {
        EmulatedAdapterComponent component = activate(keys("members", 5000));
        ConfigurationOutcome first = framework.outcomes().get(0);
        modify(component, keys("members", 5000));

        assertThat(framework.outcomes()).containsExactly(first);
        assertThat(framework.outcomes().get(0)).as("the service").isNotSameAs(first);
    }

    @Test
    void shouldAnswerWhatBecameOfTheConfigurationThatItWasGivenLast() {
        String pid = "dev.ferry.emulator.adapter~pf0";
        EmulatedAdapterComponent component = activate(keys("members", 5000));
        assertThat(framework.outcomes()).containsExactly(new ConfigurationOutcome(
                pid, Optional.of("members must be 0 to 4096, but is 5000")));
        modify(component, keys("members", 2));
        assertThat(framework.outcomes()).containsExactly(new ConfigurationOutcome(pid, Optional.empty()));
        component.delete();
        assertThat(framework.outcomes()).isEmpty();
    }

    @Test
    void shouldRefuseTheSecondAdapterWithTheSameId() {
        EmulatedAdapterComponent first = activate(keys());
        EmulatedAdapterComponent second = activate(keys("members", 7));
        assertThat(adapter().members()).isEqualTo(4);
        assertThat(log.errors()).singleElement().asString().contains("'host1/pf0'");

        second.delete();
        modify(first, keys("members", 5));
        assertThat(adapter().members()).as("the first kept its id").isEqualTo(5);
    }

    @Test
    void shouldKeepItsOwnIdWhenTheNewOneIsTaken() {
        activate(keys("host", "host2"));
        EmulatedAdapterComponent component = activate(keys());
        modify(component, keys("host", "host2"));
        assertThat(log.errors()).hasSize(1);
        assertThat(framework.services()).hasSize(2);
        component.delete();
        assertThat(framework.services()).hasSize(1);
        assertProperties("host2/pf0", "host2", 4);
    }
}
