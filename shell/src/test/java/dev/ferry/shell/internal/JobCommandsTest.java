// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationProgress.Range;
import dev.ferry.migration.MigrationProgress.Transfer;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class JobCommandsTest {

    private final Background background = new Background();
    private final FakeMigrations migrations = new FakeMigrations();
    private final RunningMigration running = new RunningMigration();
    private final CommandFixture shell = new CommandFixture();

    private int jobs(String... arguments) {
        return shell.run(new JobsCommand(() -> migrations, background), arguments);
    }

    private int cancel(String... arguments) {
        return shell.run(new CancelCommand(() -> migrations), arguments);
    }

    private int report(String... arguments) {
        return shell.run(new ReportCommand(() -> migrations), arguments);
    }

    private JsonObject document() {
        return JsonParser.parseString(shell.out()).getAsJsonObject();
    }

    @Test
    void shouldShowPhaseBytesRateAndTimeOfEachDeviceAndTheMemory() {
        running.timeLeft = Optional.of(new Range(Duration.ofMillis(20), Optional.of(Duration.ofMillis(500))));
        migrations.running.add(running);
        assertThat(jobs()).isZero();
        assertThat(shell.out()).isEqualTo("""
                MIGRATION       PHASE             DONE  CARRIED  RATE       REMAINING  TIME LEFT        DOWNTIME
                m1              PRE_COPY round 2  75 %  3.0 MiB  1.0 MiB/s  1.0 MiB    1.00 s or more   \
                at least 900 ms of 300 ms
                  a             ready                   1.0 MiB  0 bytes/s  0 bytes    20 ms to 500 ms
                  guest memory  -                       2.0 MiB  1.0 MiB/s  1.0 MiB
                """);
    }

    @Test
    void shouldSayThatNobodyKnowsWhatIsLeftOfADeviceBeforeItsFirstLook() {
        running.carried = Transfer.NONE;
        migrations.running.add(running);
        assertThat(jobs()).isZero();
        assertThat(shell.out())
                .containsPattern("(?m)^m1 .* 2.0 MiB +1.0 MiB/s +at least 1.0 MiB ")
                .containsPattern("(?m)^  a +ready +0 bytes +0 bytes/s +unknown +unknown$");
        assertThat(jobs("--json")).isZero();
        JsonObject job = document().getAsJsonArray("jobs").get(0).getAsJsonObject();
        assertThat(job.getAsJsonObject("total").get("remainingBytes").isJsonNull()).isTrue();
        assertThat(job.getAsJsonObject("memory").get("remainingBytes").getAsLong()).isEqualTo(1 << 20);
        assertThat(job.getAsJsonArray("devices").get(0).getAsJsonObject().get("remainingBytes").isJsonNull()).isTrue();
    }

    @Test
    void shouldShowNoLimitOfTheDowntimeWithoutPreCopy() {
        running.preCopy = false;
        migrations.running.add(running);
        assertThat(jobs()).isZero();
        assertThat(shell.out()).contains(" at least 900 ms, no limit\n");
        assertThat(jobs("--json")).isZero();
        JsonObject job = document().getAsJsonArray("jobs").get(0).getAsJsonObject();
        assertThat(job.get("allowedDowntimeMillis").isJsonNull()).isTrue();
    }

    @Test
    void shouldHaveTheFixedKeysOfAJob() {
        migrations.running.add(running);
        assertThat(jobs("--json")).isZero();
        JsonObject job = document().getAsJsonArray("jobs").get(0).getAsJsonObject();
        assertThat(job.keySet()).containsExactly(
                "migration", "phase", "waiting", "percent", "round", "total", "memory", "devices",
                "allowedDowntimeMillis", "predictedDowntimeMillis", "timeLeft");
        assertThat(job.getAsJsonArray("devices").get(0)).hasToString(
                "{\"bytes\":1048576,\"bytesPerSecond\":0,\"remainingBytes\":0,\"source\":\"a\",\"destination\":\"b\","
                        + "\"acknowledged\":true,\"timeLeft\":null}");
        assertThat(job.get("timeLeft")).hasToString("{\"atLeastMillis\":1000.0,\"atMostMillis\":null}");
    }

    @Test
    void shouldTellTheTimeOfADeviceInTheFormOfTheTotal() {
        running.timeLeft = Optional.of(new Range(Duration.ofMillis(20), Optional.of(Duration.ofMillis(500))));
        migrations.running.add(running);
        assertThat(jobs("--json")).isZero();
        JsonObject job = document().getAsJsonArray("jobs").get(0).getAsJsonObject();
        assertThat(job.getAsJsonArray("devices").get(0).getAsJsonObject().get("timeLeft"))
                .hasToString("{\"atLeastMillis\":20.0,\"atMostMillis\":500.0}");
    }

    @Test
    void shouldSayThatNothingIsUnderWay() {
        assertThat(jobs()).isZero();
        assertThat(shell.out()).isEqualTo("no migrations are under way in this process\n");
    }

    @Test
    void shouldWaitForTheEndWhenAskedTo() {
        migrations.running.add(running);
        running.onFollowed = () -> {
            running.cancel();
            migrations.running.clear();
        };
        assertThat(jobs("--wait")).isZero();
        assertThat(shell.out()).isEqualTo("no migrations are under way in this process\n");
    }

    @Test
    void shouldNameWhatFailedOnceWhenItWaits() {
        running.end = Optional.of(Failure.of(FailureCode.TIMEOUT, "It took too long."));
        running.cancel();
        migrations.running.add(running);
        migrations.failure = Optional.of(Failure.of(FailureCode.DEVICE_NOT_FOUND, "no device has the id nope"));
        assertThat(shell.run(new MigrateCommand(() -> migrations, background), "a", "nope", "--background")).isZero();
        migrations.running.clear();
        assertThat(jobs("--wait")).isEqualTo(1);
        assertThat(shell.out()).isEqualTo("no migrations are under way in this process\n");
        assertThat(shell.err()).isEqualTo(
                "ferry: m1 is FAILED: no device has the id nope; `ferry devices` lists those there are\n");
        assertThat(jobs("--wait")).isZero();

        migrations.running.add(running);
        assertThat(jobs("--wait", "--json")).isEqualTo(1);
        JsonObject failed = document().getAsJsonArray("failed").get(0).getAsJsonObject();
        assertThat(failed.getAsJsonObject("error").get("code").getAsString()).isEqualTo("TIMEOUT");
    }

    @Test
    void shouldCancelAndSayWhereTheSourceIs() {
        migrations.running.add(running);
        assertThat(cancel("m1")).isZero();
        assertThat(shell.out()).isEqualTo("m1 is cancelled and a is RUNNING, as before\n");
    }

    @Test
    void shouldFailWithTheReasonWhenItCouldNotBePutBack() {
        running.end = Optional.of(Failure.of(FailureCode.DEVICE_FAILED, "a", "a: the reset failed: scripted."));
        migrations.running.add(running);
        assertThat(cancel("m1")).isEqualTo(1);
        assertThat(shell.out()).isEmpty();
        assertThat(shell.err()).isEqualTo(
                "ferry: m1 is FAILED, not cancelled: a: the reset failed: scripted; for details: `report m1`\n");
    }

    private static Failure notReset(FailureCode code, String message) {
        Failure reset = Failure.of(FailureCode.DEVICE_FAILED, "b", "b: it could not be reset: reset it.");
        return new Failure(
                code, Optional.empty(), Optional.empty(), Optional.empty(), message, List.of(reset));
    }

    @Test
    void shouldNotSucceedWhenItWasCancelledButTheDestinationIsNotInOrder() {
        running.end = Optional.of(notReset(FailureCode.CANCELLED, "It was cancelled."));
        migrations.running.add(running);
        assertThat(cancel("m1")).isEqualTo(1);
        assertThat(shell.out()).isEmpty();
        assertThat(shell.err()).isEqualTo("""
                ferry: m1 is cancelled and a is RUNNING, as before, but something else failed
                ferry: also: b: it could not be reset: reset it.
                """);
        migrations.running.clear();
        background.add(running);
        assertThat(jobs("--wait")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("""
                ferry: m1 is CANCELLED: it was cancelled
                ferry: also: b: it could not be reset: reset it.
                """);
    }

    @Test
    void shouldTellAllThatFailedOnTheWayBack() {
        running.end = Optional.of(notReset(FailureCode.TIMEOUT, "It took too long."));
        migrations.running.add(running);
        assertThat(cancel("m1")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("""
                ferry: m1 is FAILED, not cancelled: it took too long; for details: `report m1`
                ferry: also: b: it could not be reset: reset it.
                """);
        migrations.ended.add(running.result.join());
        assertThat(report("m1")).isZero();
        assertThat(shell.out()).endsWith("\nIt took too long.\nalso: b: it could not be reset: reset it.\n");
    }

    @Test
    void shouldFailWhenItHadCompletedFirst() {
        running.end = Optional.empty();
        running.tooLate = true;
        migrations.running.add(running);
        assertThat(cancel("m1", "--json")).isEqualTo(1);
        assertThat(document().get("result").getAsString()).isEqualTo("COMPLETED");
        assertThat(shell.err())
                .isEqualTo("ferry: m1 could not be cancelled any more: it is COMPLETED; for details: `report m1`\n");
    }

    @Test
    void shouldSayThatItHasEndedOrIsUnknownWhenThereIsNothingToCancel() {
        migrations.ended.add(Samples.report(MigrationRequest.of("a", "b"), Optional.empty()));
        assertThat(cancel("m1")).isEqualTo(1);
        assertThat(shell.err()).contains("m1 has ended already: it is COMPLETED");
        assertThat(cancel("m7")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: there is no migration 'm7' in this process; `jobs` lists those"
                + " under way, `report` those that have ended\n");
        assertThat(cancel("2")).isEqualTo(1);
        assertThat(shell.err()).contains("no migration '2' in this process (ids begin with m, as in m2); `jobs`");
        assertThat(cancel()).isEqualTo(2);
    }

    @Test
    void shouldListWhatHasEnded() {
        migrations.ended.add(Samples.report(MigrationRequest.of("a", "b"), Optional.empty()));
        migrations.ended.add(Samples.report(
                MigrationRequest.of("c", "d"), Optional.of(Failure.of(FailureCode.TIMEOUT, "It took too long."))));
        assertThat(report()).isZero();
        assertThat(shell.out()).isEqualTo("""
                MIGRATION  STARTED               RESULT     DEVICES  DOWNTIME MS  TOTAL MS  REASON
                m1         1970-01-01T00:00:00Z  COMPLETED  a to b   1.235        20.000    -
                m1         1970-01-01T00:00:00Z  FAILED     c to d   1.235        20.000    TIMEOUT
                """);
        assertThat(report("--json")).isZero();
        assertThat(document().getAsJsonArray("reports")).hasSize(2);
    }

    @Test
    void shouldSayThatReportsStayInTheirProcessWhenThereIsNone() {
        assertThat(report()).isZero();
        assertThat(shell.out()).isEqualTo("this process has finished no migration yet, and only the process "
                + "that ran one keeps its report; "
                + "`ferry -c \"migrate SOURCE DESTINATION; report\"` does both in one\n");
        assertThat(report("--json")).isZero();
        assertThat(document().getAsJsonArray("reports")).isEmpty();
    }

    @Test
    void shouldTellAllOfOneReport() {
        migrations.ended.add(Samples.report(MigrationRequest.of("a", "b"), Optional.empty()));
        assertThat(report("m1")).isZero();
        assertThat(shell.out())
                .startsWith("m1 COMPLETED\n")
                .contains("all, planned            50.000  -")
                .contains("all, actual             51.000  1.500")
                .contains("after 4 ms: SWITCHOVER: 0 bytes are left.");
        assertThat(report("m1", "--json")).isZero();
        assertThat(document().keySet()).containsExactly(
                "migration", "result", "dryRun", "source", "destination", "started", "downtimeMillis", "totalMillis",
                "stateBytes", "memoryBytes", "bufferBytes", "phases", "steps", "memory", "devices", "decisions",
                "sourceState", "destinationState", "findings");
    }

    @Test
    void shouldSayThatThereIsNoReportYetOrNone() {
        migrations.running.add(running);
        assertThat(report("m1")).isEqualTo(1);
        assertThat(shell.err()).contains("m1 has not ended");
        assertThat(report("x", "--json")).isEqualTo(1);
        assertThat(document().getAsJsonObject("error").get("code").getAsString()).isEqualTo("MIGRATION_NOT_FOUND");
        assertThat(shell.err()).contains("there is no migration 'x'");
    }
}
