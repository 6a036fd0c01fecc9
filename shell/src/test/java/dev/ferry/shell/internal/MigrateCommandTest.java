// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.device.Errno;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPhase;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MigrateCommandTest {

    private final FakeMigrations migrations = new FakeMigrations();
    private final CommandFixture shell = new CommandFixture();

    private int migrate(String... arguments) {
        return shell.run(new MigrateCommand(() -> migrations), arguments);
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
                COMPLETED: a is STOP, b is RUNNING
                downtime 1.235 ms, total 20.000 ms, device state 4321 bytes

                PHASE       MILLISECONDS
                CHECK       0.500
                SWITCHOVER  2.000
                """);
        assertThat(shell.err()).isEqualTo("CHECK\n  a: RUNNING -> RUNNING_P2P\n");
        assertThat(migrations.started.preCopy()).isTrue();
    }

    @Test
    void shouldPrintTheFixedKeysWhenJsonIsAskedFor() {
        assertThat(migrate("a", "b", "--json")).isZero();
        assertThat(shell.out()).isEqualTo("""
                {
                  "result": "COMPLETED",
                  "source": "a",
                  "destination": "b",
                  "downtimeMillis": 1.235,
                  "totalMillis": 20.0,
                  "stateBytes": 4321,
                  "memoryBytes": 0,
                  "phases": [
                    {
                      "name": "CHECK",
                      "millis": 0.5
                    },
                    {
                      "name": "SWITCHOVER",
                      "millis": 2.0
                    }
                  ],
                  "sourceState": "STOP",
                  "destinationState": "RUNNING"
                }
                """);
    }

    @Test
    void shouldPrintErrorInDocumentAndExitWithOneWhenFailed() {
        migrations.failure = Optional.of(refusedByDevice());
        assertThat(migrate("a", "b", "--json")).isEqualTo(1);
        assertThat(shell.out()).contains("\"result\": \"FAILED\"").endsWith("""
                  "sourceState": "RUNNING",
                  "destinationState": null,
                  "error": {
                    "code": "DEVICE_FAILED",
                    "phase": "LOAD",
                    "device": "b",
                    "errno": "EIO",
                    "message": "the device b does not answer"
                  }
                }
                """);
        assertThat(shell.err()).endsWith("ferry: the device b does not answer\n");
    }

    @Test
    void shouldSayWhereTheDevicesAreLeftWhenFailed() {
        migrations.failure = Optional.of(refusedByDevice());
        assertThat(migrate("a", "b")).isEqualTo(1);
        assertThat(shell.out()).startsWith("FAILED: a is RUNNING, b is unknown\n");
    }

    @Test
    void shouldExitWithOneAndNameTheBundleWhenThereIsNoService() {
        MigrateCommand command = new MigrateCommand(() -> Missing.unlessThere(null, "migration service", "x.y"));
        assertThat(shell.run(command, "a", "b")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: there is no migration service now; start the bundle x.y\n");
    }

    @Test
    void shouldPrintAResultWhenThereIsNoReportAndJsonIsAskedFor() {
        MigrateCommand command = new MigrateCommand(() -> Missing.unlessThere(null, "migration service", "x.y"));
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
        });
        assertThat(shell.run(command, "--help")).isZero();
        assertThat(shell.out()).startsWith("Usage: ferry migrate ");
    }
}
