// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.device.Errno;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.Timeouts;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MigrateCommandTest {

    private final FakeMigrations migrations = new FakeMigrations();
    private final CommandFixture shell = new CommandFixture();

    private int migrate(String... arguments) {
        return shell.run(new MigrateCommand(() -> migrations, new Background()), arguments);
    }

    private static Failure refusedByDevice() {
        return new Failure(
                FailureCode.DEVICE_FAILED, Optional.of(MigrationPhase.LOAD), Optional.of("b"), Optional.of(Errno.EIO),
                "the device b does not answer", List.of());
    }

    @Test
    void shouldPrintReportAndProgressApartWhenCompleted() {
        assertThat(migrate("a", "b")).isZero();
        assertThat(shell.out()).isEqualTo("""
                m1 COMPLETED
                  a is STOP, b is RUNNING
                downtime 1.235 ms, total 20.000 ms, device state 4.2 KiB

                DOWNTIME, MILLISECONDS  STOP    SAVE   TRANSFER  LOAD  START
                all, planned            50.000  -      -         -     -
                all, actual             51.000  1.500  -         -     -

                PHASE       MILLISECONDS
                CHECK       0.500
                SWITCHOVER  2.000

                DECIDED
                  after 4 ms: SWITCHOVER: 0 bytes are left.
                """);
        assertThat(shell.err()).isEqualTo("""
                a to b: saves while the guest runs, 2.0 KiB of state, written pages known by device DMA logging
                memory: No guest is named.
                downtime: 70 ms expected, 300 ms allowed; bandwidth unlimited; at most 10 min in total
                CHECK
                  a: RUNNING -> RUNNING_P2P
                """);
        assertThat(migrations.started.preCopy()).isTrue();
    }

    @Test
    void shouldPrintTheFixedKeysWhenJsonIsAskedFor() {
        assertThat(migrate("a", "b", "--json")).isZero();
        assertThat(shell.out()).startsWith("""
                {
                  "migration": "m1",
                  "result": "COMPLETED",
                  "dryRun": false,
                  "source": "a",
                  "destination": "b",
                  "started": "1970-01-01T00:00:00Z",
                  "downtimeMillis": 1.235,
                  "totalMillis": 20.0,
                  "stateBytes": 4321,
                  "memoryBytes": 0,
                  "bufferBytes": 65536,
                  "phases": [
                    {
                      "name": "CHECK",
                      "millis": 0.5
                    },
                """);
        assertThat(JsonParser.parseString(shell.out()).getAsJsonObject().getAsJsonObject("plan").toString())
                .isEqualTo("{\"devices\":[{\"source\":\"a\",\"destination\":\"b\",\"preCopy\":true,"
                        + "\"stateBytes\":2048,\"tracker\":\"device DMA logging\"}],\"memory\":{\"bytes\":0,"
                        + "\"tracked\":false,\"pageBytes\":0,\"bitmapBytes\":0,\"explanation\":\"No guest is"
                        + " named.\"},\"plannedDowntimeMillis\":70.0}");
    }

    @Test
    void shouldPrintErrorInDocumentAndExitWithOneWhenFailed() {
        migrations.failure = Optional.of(refusedByDevice());
        assertThat(migrate("a", "b", "--json")).isEqualTo(1);
        assertThat(shell.out()).contains("\"result\": \"FAILED\"").contains("""
                  "sourceState": "RUNNING",
                  "destinationState": null,
                  "findings": [],
                  "error": {
                    "code": "DEVICE_FAILED",
                    "phase": "LOAD",
                    "device": "b",
                    "errno": "EIO",
                    "message": "the device b does not answer",
                    "following": []
                  },
                """);
        assertThat(shell.err()).endsWith("ferry: the device b does not answer\n");
    }

    @Test
    void shouldSayWhereTheDevicesAreLeftWhenFailed() {
        migrations.failure = Optional.of(refusedByDevice());
        assertThat(migrate("a", "b")).isEqualTo(1);
        assertThat(shell.out()).startsWith("m1 FAILED\n  a is RUNNING, b is unknown\n");
    }

    @Test
    void shouldExitWithOneAndNameTheBundleWhenThereIsNoService() {
        MigrateCommand command = new MigrateCommand(
                () -> Missing.unlessThere(null, "migration service", "x.y"), new Background());
        assertThat(shell.run(command, "a", "b")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: there is no migration service now; start the bundle x.y\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--no-precopy", "--quiet", "--background"})
    void shouldFailAsCancelledWhenTheServiceIsBeingStopped(String how) {
        migrations.stopping = true;
        assertThat(migrate("a", "b", "--json", how)).isEqualTo(1);
        assertThat(shell.out()).contains("\"code\": \"CANCELLED\"");
        assertThat(shell.err())
                .endsWith("ferry: the migration service is being stopped; try again when it is back\n");
    }

    @Test
    void shouldPrintAResultWhenThereIsNoReportAndJsonIsAskedFor() {
        MigrateCommand command = new MigrateCommand(
                () -> Missing.unlessThere(null, "migration service", "x.y"), new Background());
        assertThat(shell.run(command, "a", "b", "--json")).isEqualTo(1);
        assertThat(shell.out()).startsWith("{\n  \"result\": \"FAILED\",\n  \"error\": {");
    }

    @Test
    void shouldExitWithTwoWhenTheDestinationIsMissing() {
        assertThat(migrate("a")).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: missing required parameter: 'DESTINATION'");
    }

    @Test
    void shouldPrintHelpWhenThereIsNoService() {
        MigrateCommand command = new MigrateCommand(() -> {
            throw new CommandFailedException(FailureCode.PROVIDER_GONE, "not needed for help");
        }, new Background());
        assertThat(shell.run(command, "--help")).isZero();
        assertThat(shell.out()).startsWith("Usage: ferry migrate ");
    }

    @Test
    void shouldAskForWhatTheOptionsSay() {
        assertThat(migrate(
                        "a,b", "x,y", "--max-downtime", "150ms", "--bandwidth", "1 Gbit/s", "--timeout", "2min",
                        "--progress-timeout", "45s", "--ramp-limit", "1s", "--on-stall", "switchover",
                        "--no-precopy", "--dry-run"))
                .isZero();
        assertThat(migrations.started).isEqualTo(new MigrationRequest(
                List.of(new DevicePair("a", "x"), new DevicePair("b", "y")),
                Optional.empty(),
                false,
                true,
                Convergence.DEFAULT
                        .withMaxDowntime(Duration.ofMillis(150))
                        .withRampLimit(Duration.ofSeconds(1))
                        .withOnStall(Convergence.OnStall.SWITCH_OVER),
                new Bandwidth(125_000_000),
                Timeouts.DEFAULT.withTotal(Duration.ofMinutes(2)).withNoProgress(Duration.ofSeconds(45))));
        assertThat(shell.out()).startsWith("m1 PASSED\n  a is STOP, x is RUNNING\n  b is STOP, y is RUNNING\n")
                .contains("b, actual               51.000");
        assertThat(shell.err()).contains("70 ms expected, without pre-copy no limit");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--max-downtime a b | '--max-downtime': 'a' is not a number with one of the units ms, s, min, h",
        "a --timeout b | '--timeout': 'b' is not a number with one of the units ms, s, min, h",
        "--bandwidth a b | '--bandwidth': 'a' is not a number greater than zero with a unit",
        "--progress-timeout a b | '--progress-timeout': 'a' is not a number with one of the units ms, s, min, h",
        "--on-stall a b | '--on-stall': 'a' is neither fail nor switchover",
        "--timeout 8d a b | '--timeout': '8d' is not a number with one of the units ms, s, min, h",
    })
    void shouldSayFirstWhatIsWrongWithTheValueOfAnOption(String arguments, String why) {
        assertThat(migrate(arguments.split(" "))).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: invalid value for option " + why);
    }

    @Test
    void shouldSayHowFarTheAllowedDowntimeMayGrow() {
        assertThat(migrate("a", "b", "--max-downtime", "150ms", "--ramp-limit", "1s")).isZero();
        assertThat(shell.err()).contains("70 ms expected, 150 ms to 1.00 s allowed");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "a,b | x | there are 2 sources but 1 destination: name one destination for each source, in the same order",
        "a | x,y | there are 1 source but 2 destinations: name one destination for each source, in the same order",
        "a,a | x,y | the device a is named twice",
        "a,b | x,x | the device x is named twice",
        "a, | x,y | the device name is empty",
    })
    void shouldRefuseListsThatDoNotFit(String sources, String destinations, String why) {
        assertThat(migrate(sources, destinations)).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: " + why);
        assertThat(migrations.started).isNull();
    }

    @Test
    void shouldSayNothingButTheResultWhenItIsToBeQuiet() {
        assertThat(migrate("a", "b", "--quiet")).isZero();
        assertThat(shell.err()).isEmpty();
    }

    @Test
    void shouldComeBackAtOnceWithTheIdWhenItRunsInTheBackground() {
        assertThat(migrate("a", "b", "--background", "--quiet")).isZero();
        assertThat(shell.out()).isEqualTo("m1 started, and ends at the latest with this process; `jobs` shows it, "
                + "`cancel m1` stops it\n");
        assertThat(migrate("a", "b", "--background", "--json")).isZero();
        assertThat(shell.out()).startsWith("{\n  \"migration\": \"m1\",\n  \"plan\": {");
    }
}
