// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.emulator.internal.owner.Latency.Step;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class LatencyTest {

    private static final Latency TIMES = Latency.parse(
            "none, createObject=1ms, stop=5ms, resume=7ms, firstCapture=20ms, capture=2ms, firstLoad=300ms, load=3ms");

    private final FakeTimer timer = new FakeTimer();
    private final FakeMember.Factory factory = new FakeMember.Factory();

    private OwnerDevice owner(int queues) {
        AdapterSettings settings = Adapters.slow("host1", 4, TIMES, queues);
        OwnerDevice owner = new OwnerDevice(settings, factory, Optional.of(timer));
        submit(owner, Bench.USE_ALL);
        submit(owner, Bench.SET_CAPABILITY);
        timer.pass(0);
        return owner;
    }

    private static CompletableFuture<String> submit(OwnerDevice owner, String readable) {
        byte[] answer = new byte[256];
        return owner.submit(
                        new ByteBuffer[] {ByteBuffer.wrap(Bench.bytes(readable))},
                        new ByteBuffer[] {ByteBuffer.wrap(answer)})
                .thenApply(used -> Bench.hex(Arrays.copyOf(answer, used)))
                .toCompletableFuture();
    }

    private static String get(int member, int id) {
        return toMember(0x0f, member, Bench.object(id) + "0100000000000000");
    }

    private static String set(int member, int id) {
        return toMember(0x10, member, Bench.object(id) + FakeMember.ALL);
    }

    private static String stop(int member) {
        return toMember(0x11, member, "01");
    }

    private void assertTakes(OwnerDevice owner, String command, long millis) {
        CompletableFuture<String> answer = submit(owner, command);
        timer.pass(millis - 1);
        assertThat(answer).as("after %d ms", millis - 1).isNotDone();
        timer.pass(1);
        assertThat(answer).isCompletedWithValueMatching(hex -> hex.startsWith(Bench.plain(Bench.OK)));
    }

    @Test
    void shouldTakeLongOnlyForTheFirstTimeOfEachObject() {
        OwnerDevice owner = owner(1);
        assertTakes(owner, Bench.create(1, 0, 0), 1);
        assertTakes(owner, get(1, 0), 20);
        assertTakes(owner, get(1, 0), 2);
        assertTakes(owner, stop(1), 5);
        assertTakes(owner, Bench.create(1, 1, 1), 1);
        assertTakes(owner, set(1, 1), 300);
        assertTakes(owner, set(1, 1), 3);
        assertTakes(owner, toMember(0x11, 1, "00"), 7);

        submit(owner, Bench.destroy(1, 0));
        assertTakes(owner, Bench.create(2, 0, 0), 1);
        assertTakes(owner, get(2, 0), 20);
    }

    @Test
    void shouldTakeNoTimeForAModeThatIsThere() {
        OwnerDevice owner = owner(1);
        assertTakes(owner, stop(1), 5);
        CompletableFuture<String> again = submit(owner, stop(1));
        timer.pass(0);
        assertThat(again).isCompleted();
    }

    @Test
    void shouldTakeEffectAtTheEndOfItsTime() {
        OwnerDevice owner = owner(1);
        submit(owner, stop(1));
        timer.pass(4);
        assertThat(factory.made.get(0).stopped).isFalse();
        timer.pass(1);
        assertThat(factory.made.get(0).stopped).isTrue();
    }

    @Test
    void shouldKeepTheOrderOfOneQueueAndBeginNothingBeforeItsTurn() {
        OwnerDevice owner = owner(1);
        CompletableFuture<String> first = submit(owner, stop(1));
        CompletableFuture<String> second = submit(owner, stop(2));
        CompletableFuture<String> query = submit(owner, "0000 0100 000000000000000000000000 0000000000000000");
        timer.pass(9);
        assertThat(first).isCompleted();
        assertThat(second).isNotDone();
        assertThat(query).isNotDone();
        timer.pass(1);
        assertThat(second).isCompleted();
        assertThat(query).isCompleted();
    }

    @Test
    void shouldWorkOnSeveralQueuesAtATimeAndKeepAMemberInOne() {
        OwnerDevice owner = owner(2);
        CompletableFuture<String> first = submit(owner, stop(1));
        CompletableFuture<String> other = submit(owner, stop(2));
        CompletableFuture<String> behindFirst = submit(owner, stop(3));
        timer.pass(5);
        assertThat(first).isCompleted();
        assertThat(other).isCompleted();
        assertThat(behindFirst).isNotDone();
        timer.pass(5);
        assertThat(behindFirst).isCompleted();
    }

    @Test
    void shouldFailWhatWaitsWhenTheDeviceGoes() {
        OwnerDevice owner = owner(1);
        CompletableFuture<String> first = submit(owner, stop(1));
        CompletableFuture<String> second = submit(owner, stop(2));
        owner.close();
        assertThat(timer.closed).isTrue();
        for (CompletableFuture<String> answer : java.util.List.of(first, second, submit(owner, stop(1)))) {
            assertThat(answer.handle((hex, e) -> e.getCause()).join())
                    .isInstanceOfSatisfying(
                            DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        }
        assertThat(factory.made.get(0).stopped).isFalse();
    }

    @Test
    void shouldEndItsThreadWithTheDevice() throws Exception {
        AdapterSettings settings = Adapters.slow("host9", 1, Latency.parse("none, stop=1us"), 1);
        OwnerDevice owner = new OwnerDevice(settings, factory);
        submit(owner, Bench.USE_ALL);
        assertThat(submit(owner, stop(1)).get(10, TimeUnit.SECONDS)).isEqualTo(Bench.plain(Bench.OK));
        owner.close();
        assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName()
                .equals("ferry-emulator-" + settings.ownerId()));
    }

    @Test
    void shouldReadAProfileWithOtherTimes() {
        assertThat(Latency.parse(" none ")).isEqualTo(Latency.NONE);
        assertThat(Latency.parse("none, load = 5us").times()).isEqualTo(Map.of(Step.LOAD, 5_000L));
        Latency changed = Latency.parse("smartnic,firstLoad=2s");
        assertThat(changed.nanos(Step.FIRST_LOAD)).isEqualTo(2_000_000_000L);
        assertThat(changed.nanos(Step.STOP)).isEqualTo(50_000_000L);
        assertThat(Latency.parse("smartnic").times()).hasSize(Step.values().length);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "fast", "smartnic load=1ms", "smartnic,load", "smartnic,load=1", "none,load=-1ms", "none,go=1ms",
                "none,load=61s", "none,load=1.5ms", "none,load=99999999999ms"
            })
    void shouldRefuseWhatItCannotRead(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Latency.parse(text))
                .withMessageStartingWith("latency ");
    }
}
