// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.demo.internal.pcap.PcapWriter;
import dev.ferry.demo.internal.traffic.CaptureTraffic;
import dev.ferry.demo.internal.traffic.Frame;
import dev.ferry.demo.internal.traffic.MadeUpTraffic;
import dev.ferry.demo.internal.traffic.Traffic;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.guest.GuestOptions;
import dev.ferry.emulator.guest.MemoryLoad;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport.Result;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class DemonstrationTest {

    private static final Duration TIME = Duration.ofMillis(300);

    private final FakeMigrations migrations = new FakeMigrations();
    private final Vf first = migrations.add("host1");
    private final Vf second = migrations.add("host2");
    private final List<String> progress = new CopyOnWriteArrayList<>();
    private MigrationListener listener = MigrationListener.NONE;
    /** Happens on the thread of the demo, at each line of progress. */
    private Runnable onProgress = () -> {};

    @Test
    void shouldLoseNothingToAndFroSeveralTimes() throws Exception {
        for (int round = 0; round < 2; round++) {
            assertFlawless(run(first, second, new MadeUpTraffic(3_000)), 3_000);
            assertFlawless(run(second, first, new MadeUpTraffic(3_000)), 3_000);
        }
        assertThat(progress).noneMatch(line -> line.contains("could not be brought back"));
        Await.untilNoThreadIsLeft("ferry-");
    }

    @Test
    void shouldTellThePlanOfThisGuestBeforeTheFirstFrame() throws Exception {
        DemoReport report = run(first, second, new MadeUpTraffic(100));

        assertThat(report.plan().plannedDowntime()).contains(Duration.ofMillis(70));
        assertThat(progress.subList(1, 5)).containsExactly(
                "host1/pf0/vf1 to host2/pf0/vf1: saves while the guest runs, 2.0 KiB of state, written pages known by "
                        + "nothing",
                "memory: Its pages are tracked.",
                "downtime: 70 ms expected, 300 ms allowed; bandwidth unlimited; at most 10 min in total",
                "half of the frames are sent; the guest moves to host2/pf0/vf1");
    }

    @Test
    void shouldTellNoPlanWhenSomethingStandsAgainstIt() throws Exception {
        migrations.findings = List.of(new Finding(Finding.Code.SOURCE_NOT_RUNNING, first.id(), "It stands."));

        run(first, second, new MadeUpTraffic(100));

        assertThat(progress).noneMatch(line -> line.contains("expected"));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 10})
    void shouldTakeFewFrames(long count) throws Exception {
        DemoReport report = run(first, second, new MadeUpTraffic(count));

        assertThat(report.failure()).isEmpty();
        assertThat(report.frames().sent()).isEqualTo(count);
        assertThat(report.frames().atSource()).isPositive();
        assertThat(report.frames().atDestination()).isEqualTo(count - report.frames().atSource());
        if (count > 1) {
            assertThat(report.frames().atDestination()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldRecordTheFramesOfACaptureWithTheirTimes(boolean nanoseconds, @TempDir Path folder) throws Exception {
        Path in = folder.resolve("in.pcap");
        Path out = folder.resolve("out.pcap");
        try (PcapWriter writer = PcapWriter.create(in, nanoseconds)) {
            for (int number = 0; number < 500; number++) {
                int length = number % 50 == 0 ? Frame.MAX_BYTES : 14 + number % 3 * 40;
                Frame frame = new Frame(1_600_000_000 + number, number * 3, length + number % 2, bytes(number, length));
                writer.write(frame, frame.bytes());
            }
            writer.commit();
        }
        DemoReport report = run(first, second, CaptureTraffic.of(in), Optional.of(out));

        assertFlawless(report, 500);
        assertThat(Files.mismatch(in, out)).isEqualTo(-1);
    }

    @Test
    void shouldReportAMigrationThatFailedAndStayAtTheSource() throws Exception {
        migrations.failing = true;
        DemoReport report = run(first, second, new MadeUpTraffic(1_000));

        assertThat(report.migration().result()).isEqualTo(Result.FAILED);
        assertThat(report.failure()).contains("the migration ended as FAILED: it was refused; "
                + "the guest stood still for 3 ms and runs at the source again");
        assertThat(report.frames()).isEqualTo(new FrameCounts(1_000, 1_000, 0, 0, 0, 0, 1_000, 0));
        migrations.failing = false;
        assertFlawless(run(first, second, new MadeUpTraffic(1_000)), 1_000);
    }

    @Test
    void shouldReportTheMigrationWhenTheFileFails() throws Exception {
        DemoReport report = run(first, second, new MadeUpTraffic(1_000), Optional.of(Path.of("/dev/full")));

        assertThat(report.migration().result()).isEqualTo(Result.COMPLETED);
        assertThat(report.frames().isFlawless()).isTrue();
        assertThat(report.failure())
                .contains("the file of frames, /dev/full, could not be written: No space left on device");
    }

    @Test
    void shouldPutEverythingBackWhenItIsInterrupted(@TempDir Path folder) throws Exception {
        Path out = Files.writeString(folder.resolve("out.pcap"), "an older capture");
        // By the demo itself: another thread could come when all is over.
        onProgress = Thread.currentThread()::interrupt;

        assertThatThrownBy(() -> run(first, second, new MadeUpTraffic(100_000), Optional.of(out)))
                .isInstanceOf(InterruptedException.class);
        onProgress = () -> {};
        assertThat(out).hasContent("an older capture");
        assertThat(folder.toFile().list()).containsExactly("out.pcap");
        assertFlawless(run(first, second, new MadeUpTraffic(500)), 500);
    }

    @Test
    void shouldSayWhatCameOfTheMigrationWhenItIsInterruptedDuringOne() {
        Thread demo = Thread.currentThread();
        listener = event -> {
            if (event instanceof MigrationEvent.PhaseStarted started && started.phase() == MigrationPhase.SWITCHOVER) {
                demo.interrupt();
                // Nothing waits for a migration that has ended, so the interrupt would be noticed by what comes next.
                Await.until("the demo to notice", () -> !demo.isInterrupted());
            }
        };

        assertThatThrownBy(() -> run(first, second, new MadeUpTraffic(100_000)))
                .isInstanceOf(InterruptedException.class)
                .hasMessageStartingWith("interrupted: m1 ");
    }

    @Test
    void shouldFailAtOnceWithTheCauseWhenTheNetworkFails() throws Exception {
        NetworkPort failing = new NetworkPort() {
            @Override
            public Delivery deliver(ByteBuffer frame) {
                throw new AssertionError("boo");
            }

            @Override
            public void connect(FrameSink sink) {
                first.port().connect(sink);
            }
        };
        Vf broken = new Vf(first.id(), first.host(), first.function(), failing);

        assertThatThrownBy(() -> run(broken, second, new MadeUpTraffic(3)))
                .hasMessage("the emulated network failed: java.lang.AssertionError: boo");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 16})
    void shouldLoseNothingOfAnyVfWhenSeveralMoveTogether(int count) throws Exception {
        List<VfPair> vfs = new ArrayList<>();
        List<Traffic> traffic = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            vfs.add(new VfPair(migrations.add("a", i), migrations.add("b", i)));
            traffic.add(new MadeUpTraffic(500, i));
        }
        GuestOptions writing = GuestOptions.defaults().withLoad(new MemoryLoad(1_000, 0));
        DemoReport report = run(vfs, traffic, writing, Optional.empty());

        assertFlawless(report, count * 500L);
        assertThat(report.flows()).hasSize(count).allSatisfy(flow -> {
            assertThat(flow.frames().isFlawless()).isTrue();
            assertThat(flow.frames().sent()).isEqualTo(500);
            assertThat(flow.frames().atDestination()).isPositive();
        });
        Await.untilNoThreadIsLeft("ferry-");
    }

    @Test
    void shouldTellOfWhichVfFramesWereHarmed() throws Exception {
        Vf to = migrations.add("b", 1);
        Vf harmed = new Vf(to.id(), to.host(), to.function(), new HarmingPort(to.port(), HarmingPort.Harm.LOSE));
        DemoReport report = run(
                List.of(new VfPair(first, second), new VfPair(migrations.add("a", 1), harmed)),
                List.of(new MadeUpTraffic(500, 0), new MadeUpTraffic(500, 1)),
                GuestOptions.defaults(),
                Optional.empty());

        assertThat(report.failure()).contains("of 1000 frames 1 were lost, 0 duplicated, 0 reordered, 0 changed");
        assertThat(report.flows().get(0).frames().lost()).isZero();
        assertThat(report.flows().get(1).frames().lost()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailWhenTheDeviceHarmsOneFrame(HarmingPort.Harm harm) throws Exception {
        Vf harmed = new Vf(second.id(), second.host(), second.function(), new HarmingPort(second.port(), harm));
        DemoReport report = run(first, harmed, new MadeUpTraffic(1_000));

        FrameCounts frames = report.frames();
        assertThat(report.migration().result()).isEqualTo(Result.COMPLETED);
        assertThat(report.failure()).isPresent();
        assertThat(List.of(frames.lost(), frames.duplicated(), frames.reordered(), frames.foreign()))
                .isEqualTo(switch (harm) {
                    case LOSE -> List.of(1L, 0L, 0L, 0L);
                    case DUPLICATE -> List.of(0L, 1L, 0L, 0L);
                    case REORDER -> List.of(0L, 0L, 1L, 0L);
                    case CHANGE -> List.of(1L, 0L, 0L, 1L);
                });
    }

    private DemoReport run(Vf from, Vf to, Traffic traffic) throws Exception {
        return run(from, to, traffic, Optional.empty());
    }

    private DemoReport run(Vf from, Vf to, Traffic traffic, Optional<Path> out) throws Exception {
        return run(List.of(new VfPair(from, to)), List.of(traffic), GuestOptions.defaults(), out);
    }

    private DemoReport run(List<VfPair> vfs, List<Traffic> traffic, GuestOptions guest, Optional<Path> out)
            throws Exception {
        Demonstration.Settings settings = new Demonstration.Settings(vfs, traffic, TIME, guest, request -> request);
        Consumer<String> telling = line -> {
            progress.add(line);
            onProgress.run();
        };
        return new Demonstration(migrations, settings, telling, listener).run(out);
    }

    private static void assertFlawless(DemoReport report, long sent) {
        assertThat(report.failure()).isEmpty();
        assertThat(report.frames().sent()).isEqualTo(sent);
        assertThat(report.frames().isFlawless()).isTrue();
        assertThat(report.frames().atSource()).isPositive();
        assertThat(report.frames().atDestination()).isPositive();
        assertThat(report.frames().atSource() + report.frames().atDestination()).isEqualTo(sent);
    }

    private static ByteBuffer bytes(int number, int length) {
        return ByteBuffer.wrap(new byte[length]).putInt(0, number);
    }
}
