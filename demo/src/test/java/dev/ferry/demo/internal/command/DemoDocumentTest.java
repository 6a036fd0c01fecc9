// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.demo.internal.run.DemoReport;
import dev.ferry.demo.internal.run.DemoReport.Recording;
import dev.ferry.demo.internal.run.FrameCounts;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationReport;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DemoDocumentTest {

    private static final FrameCounts FLAWLESS = new FrameCounts(100, 100, 0, 0, 0, 0, 60, 40);
    private static final FrameCounts HARMED = new FrameCounts(100, 101, 1, 2, 3, 0, 60, 41);

    private static final Failure NOT_RESET =
            Failure.of(FailureCode.DEVICE_FAILED, "b/pf0/vf1", "b/pf0/vf1: it could not be reset.");

    private static final Optional<Recording> WHOLE = Optional.of(new Recording(Path.of("x"), Optional.empty()));
    private static final Optional<Recording> FULL =
            Optional.of(new Recording(Path.of("x"), Optional.of("x is full")));

    private static final MigrationPlan PLAN = new MigrationPlan(
            List.of(), List.of(), new MigrationPlan.Memory(0, false, 0, 0, "Nothing moves."), Optional.empty());

    @Test
    void shouldHaveTheFixedKeys() {
        JsonObject document = DemoDocument.json(report(Result.COMPLETED, FLAWLESS));

        assertThat(document.toString()).isEqualTo("{\"result\":\"COMPLETED\",\"source\":\"a/pf0/vf1\","
                + "\"destination\":\"b/pf0/vf1\",\"frames\":{\"sent\":100,\"received\":100,\"lost\":0,"
                + "\"duplicated\":0,\"reordered\":0,\"changed\":0},\"framesBySide\":{\"source\":60,"
                + "\"destination\":40},\"framesWaited\":7,\"vfs\":[{\"source\":\"a/pf0/vf1\","
                + "\"destination\":\"b/pf0/vf1\",\"frames\":{\"sent\":100,\"received\":100,\"lost\":0,"
                + "\"duplicated\":0,\"reordered\":0,\"changed\":0},"
                + "\"framesWaited\":7}],\"downtimeMillis\":12.5,\"totalMillis\":80.0,"
                + "\"stateBytes\":700,\"memoryBytes\":16777216,"
                + "\"plan\":{\"devices\":[],\"memory\":{\"bytes\":0,\"tracked\":false,\"pageBytes\":0,"
                + "\"bitmapBytes\":0,\"explanation\":\"Nothing moves.\"},\"plannedDowntimeMillis\":null},"
                + "\"phases\":[{\"name\":\"CHECK\",\"millis\":1.0},{\"name\":\"SWITCHOVER\",\"millis\":12.5}],"
                + "\"steps\":[],\"memory\":{\"totalBytes\":16777216,\"preCopyBytes\":0,"
                + "\"switchoverBytes\":16777216,\"rounds\":0},\"devices\":[{\"source\":\"a/pf0/vf1\","
                + "\"destination\":\"b/pf0/vf1\",\"sourceState\":null,\"destinationState\":null,"
                + "\"preCopyBytes\":0,\"switchoverBytes\":700,\"steps\":[]}],"
                + "\"decisions\":[]}");
    }

    @Test
    void shouldFailWhenFramesWereHarmedOrTheMigrationFailed() {
        JsonObject harmed = DemoDocument.json(report(Result.COMPLETED, HARMED));
        JsonObject failed = DemoDocument.json(report(Result.FAILED, FLAWLESS));

        assertThat(harmed.get("result").getAsString()).isEqualTo("FAILED");
        assertThat(harmed.getAsJsonObject("error").get("message").getAsString())
                .isEqualTo("of 100 frames 1 were lost, 2 duplicated, 3 reordered, 0 changed");
        assertThat(failed.get("result").getAsString()).isEqualTo("FAILED");
        assertThat(failed.getAsJsonObject("error").get("code").getAsString()).isEqualTo("TIMEOUT");
    }

    @Test
    void shouldKeepTheReportWhenTheFileFailed() {
        JsonObject document = DemoDocument.json(report(Result.COMPLETED, FLAWLESS, FULL));

        assertThat(document.get("result").getAsString()).isEqualTo("FAILED");
        assertThat(document.getAsJsonObject("frames").get("received").getAsLong()).isEqualTo(100);
        assertThat(document.getAsJsonObject("error").get("code").getAsString()).isEqualTo("IO_FAILED");
        assertThat(document.getAsJsonObject("error").get("message").getAsString()).isEqualTo("x is full");
    }

    @ParameterizedTest
    @EnumSource(value = Result.class, names = {"FAILED", "CANCELLED"})
    void shouldTellOfTheFileWhateverBecameOfTheMigration(Result ended) {
        assertThat(DemoDocument.text(report(ended, FLAWLESS, WHOLE))).containsPattern("\nrecorded in +x\n");
        assertThat(DemoDocument.text(report(ended, FLAWLESS))).doesNotContain("recorded");

        DemoReport full = report(ended, FLAWLESS, FULL);
        assertThat(DemoDocument.text(full)).doesNotContain("recorded");
        assertThat(full.complaints()).endsWith("also: b/pf0/vf1: it could not be reset.", "also: x is full");
        JsonArray following =
                DemoDocument.json(full).getAsJsonObject("error").getAsJsonArray("following");
        assertThat(following).hasSize(2);
        assertThat(following.get(1).getAsJsonObject().get("code").getAsString()).isEqualTo("IO_FAILED");
        assertThat(following.get(1).getAsJsonObject().get("message").getAsString()).isEqualTo("x is full");
    }

    @Test
    void shouldTellOfTheFileOnce() {
        assertThat(report(Result.COMPLETED, FLAWLESS, FULL).complaints()).containsExactly("x is full");
        assertThat(report(Result.COMPLETED, HARMED, FULL).complaints()).containsExactly(
                "of 100 frames 1 were lost, 2 duplicated, 3 reordered, 0 changed", "also: x is full");
    }

    @Test
    void shouldTellAPersonTheSame() {
        String text = DemoDocument.text(report(Result.COMPLETED, FLAWLESS));

        assertThat(text)
                .contains("frames sent")
                .contains("16.0 MiB")
                .contains("12.500 ms")
                .contains("SWITCHOVER  12.500")
                .endsWith("every frame came out once, in order, unchanged.\n");
        assertThat(DemoDocument.text(report(Result.COMPLETED, HARMED)))
                .endsWith("\nFailed; standard error says why.\n");
    }

    private static DemoReport report(Result result, FrameCounts frames) {
        return report(result, frames, Optional.empty());
    }

    private static DemoReport report(Result result, FrameCounts frames, Optional<Recording> recording) {
        return report(result, frames, recording, Optional.empty());
    }

    private static DemoReport report(
            Result result, FrameCounts frames, Optional<Recording> recording, Optional<DeviceState> sourceState) {
        MigrationReport migration = new MigrationReport(
                "m1",
                result,
                false,
                Instant.EPOCH,
                Duration.ofMillis(80),
                Duration.ofNanos(12_500_000),
                List.of(),
                List.of(
                        new MigrationReport.Phase(MigrationPhase.CHECK, Duration.ofMillis(1)),
                        new MigrationReport.Phase(MigrationPhase.SWITCHOVER, Duration.ofNanos(12_500_000))),
                List.of(new MigrationReport.Device(
                        "a/pf0/vf1", "b/pf0/vf1", sourceState, Optional.empty(), 0, 700, List.of())),
                new MigrationReport.Memory(16 << 20, 0, 16 << 20, 0),
                List.of(),
                0,
                List.of(),
                result == Result.COMPLETED
                        ? Optional.empty()
                        : Optional.of(new Failure(
                                FailureCode.TIMEOUT,
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                "It took too long.",
                                List.of(NOT_RESET))));
        DemoReport.Flow flow = new DemoReport.Flow("a/pf0/vf1", "b/pf0/vf1", frames, 7);
        return new DemoReport("100 frames", List.of(flow), PLAN, migration, Optional.empty(), recording);
    }

    @Test
    void shouldCompareWhatPreCopyChanged() {
        DemoReport without = report(Result.COMPLETED, FLAWLESS);
        CommandResult result = new Comparison("smartnic", without, report(Result.COMPLETED, HARMED)).result();

        assertThat(result.failure())
                .contains("with pre-copy: of 100 frames 1 were lost, 2 duplicated, 3 reordered, 0 changed");
        assertThat(result.document().keySet()).containsExactly(
                "result", "latency", "downtimeLessPercent", "totalMorePercent", "withoutPreCopy", "withPreCopy",
                "error");
        assertThat(result.text()).endsWith("""
                smartnic      WITHOUT PRE-COPY  WITH PRE-COPY
                downtime, ms  12.500            12.500         +0.0 %
                total, ms     80.000            80.000         +0.0 %
                """);
        assertThat(Comparison.change(Duration.ofMillis(1_600), Duration.ofMillis(240))).isEqualTo(-85.0);
        assertThat(Comparison.change(Duration.ofMillis(1_000), Duration.ofMillis(1_050))).isEqualTo(5.0);
        assertThat(Comparison.change(Duration.ZERO, Duration.ofMillis(1))).isZero();
    }

    @ParameterizedTest
    @EnumSource(value = Result.class, names = {"PASSED", "FAILED"})
    void shouldCompareNothingWhenNotBothWentAllTheWay(Result ended) {
        DemoReport whole = report(Result.COMPLETED, FLAWLESS);
        for (CommandResult result : List.of(
                new Comparison("smartnic", whole, report(ended, FLAWLESS)).result(),
                new Comparison("smartnic", report(ended, FLAWLESS), whole).result())) {
            assertThat(result.document().get("downtimeLessPercent").isJsonNull()).isTrue();
            assertThat(result.document().get("totalMorePercent").isJsonNull()).isTrue();
            assertThat(result.text()).endsWith("""
                    downtime, ms  12.500            12.500         -
                    total, ms     80.000            80.000         -
                    """);
        }
    }

    @Test
    void shouldSayWhyEachOfTheTwoFailed() {
        DemoReport harmed = report(Result.COMPLETED, HARMED);

        assertThat(new Comparison("smartnic", report(Result.FAILED, FLAWLESS), harmed).result().complaints())
                .containsExactly(
                        "without pre-copy: the migration ended as FAILED: it took too long; the guest stood still for"
                                + " 12.500 ms",
                        "also: b/pf0/vf1: it could not be reset.",
                        "with pre-copy: of 100 frames 1 were lost, 2 duplicated, 3 reordered, 0 changed");
    }

    @Test
    void shouldSayWhatElseFailedOnTheWayBack() {
        assertThat(report(Result.FAILED, FLAWLESS).complaints()).containsExactly(
                "the migration ended as FAILED: it took too long; the guest stood still for 12.500 ms",
                "also: b/pf0/vf1: it could not be reset.");
        assertThat(report(Result.COMPLETED, FLAWLESS).complaints()).isEmpty();
    }

    @Test
    void shouldCallTwoDryRunsPassed() {
        DemoReport dry = report(Result.PASSED, FLAWLESS);

        assertThat(new Comparison("smartnic", dry, dry).result().document().get("result").getAsString())
                .isEqualTo("PASSED");
    }

    @Test
    void shouldEndTheSentenceOfAFailureOnce() {
        assertThat(report(Result.FAILED, FLAWLESS).failure())
                .contains("the migration ended as FAILED: it took too long; the guest stood still for 12.500 ms");
    }

    @Test
    void shouldLeaveItToATimeoutToSayThatTheGuestRunsAgain() {
        assertThat(report(Result.FAILED, FLAWLESS, Optional.empty(), Optional.of(DeviceState.RUNNING)).failure())
                .contains("the migration ended as FAILED: it took too long");
    }

    @Test
    void shouldListTheFramesOfEachVf() {
        DemoReport one = report(Result.PASSED, FLAWLESS);
        DemoReport two = new DemoReport(
                "100 frames",
                List.of(one.flows().get(0), new DemoReport.Flow("a/pf0/vf2", "b/pf0/vf2", HARMED, 3)),
                PLAN,
                one.migration(),
                Optional.empty(),
                Optional.empty());

        assertThat(DemoDocument.text(one)).contains("could move to another host and stayed where it is");
        assertThat(DemoDocument.text(two))
                .contains("a/pf0/vf2  100   101       1     2           3          0        3")
                .contains("  waited in the switchover  10\n")
                .endsWith("\nFailed; standard error says why.\n");
        assertThat(two.failure()).contains("of 200 frames 1 were lost, 2 duplicated, 3 reordered, 0 changed");
        assertThat(DemoDocument.json(two).getAsJsonArray("vfs")).hasSize(2);
    }
}
