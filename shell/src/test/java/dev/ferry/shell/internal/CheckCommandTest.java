// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckCommandTest {

    private final CommandFixture shell = new CommandFixture();
    private final FakeMigrations migrations = new FakeMigrations();

    private int check(String... arguments) {
        return shell.run(new CheckCommand(() -> migrations), arguments);
    }

    @Test
    void shouldSucceedWhenNothingIsFound() {
        assertThat(check("a", "b")).isZero();
        assertThat(shell.out()).isEqualTo("""
                no findings: the migration can start
                a to b: saves while the guest runs, 2.0 KiB of state, written pages known by device DMA logging
                memory: No guest is named.
                downtime: 70 ms expected, 300 ms allowed; bandwidth unlimited; at most 10 min in total
                """);
    }

    @Test
    void shouldNotPromiseALimitWithoutPreCopy() {
        assertThat(check("a", "b", "--no-precopy")).isZero();
        assertThat(shell.out())
                .contains("downtime: 70 ms expected, without pre-copy no limit; bandwidth")
                .doesNotContain("allowed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--dry-run", "--quiet", "--background"})
    void shouldNotTakeOptionsOfWhatItNeverDoes(String option) {
        assertThat(check(option, "a", "b")).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: unknown option: '" + option + "'");
    }

    @Test
    void shouldListEveryFindingWithItsCodeAndFail() {
        migrations.findings = List.of(
                new Finding(Finding.Code.FEATURES_MISMATCH, "b", "b: it lacks X."),
                new Finding(Finding.Code.QUEUES_MISMATCH, "b", "b: its queues are smaller."));

        assertThat(check("a", "b")).isEqualTo(1);
        assertThat(shell.out())
                .isEqualTo("FEATURES_MISMATCH: b: it lacks X.\nQUEUES_MISMATCH: b: its queues are smaller.\n");
        assertThat(shell.err()).contains("2 findings prevent the migration");
        assertThat(check("a", "b", "--json")).isEqualTo(1);
        assertThat(shell.out()).contains("""
                  "findings": [
                    {
                      "code": "FEATURES_MISMATCH",
                      "device": "b",
                      "message": "b: it lacks X."
                    },
                """);
    }

    @Test
    void shouldNameAllDevicesAndHaveAPlanOnlyWhenNothingIsFound() {
        assertThat(check("a,b", "x,y", "--json")).isZero();
        assertThat(shell.out())
                .contains("\"source\": \"a,b\"", "\"destination\": \"x,y\"", "\"plan\": {");
        migrations.findings = List.of(new Finding(Finding.Code.SAME_DEVICE, "a", "a: it is both ends."));
        assertThat(check("a", "a", "--json")).isEqualTo(1);
        assertThat(shell.out()).doesNotContain("\"plan\"");
    }

    @Test
    void shouldNameTheCommandThatListsDevices() {
        migrations.findings = List.of(new Finding(
                Finding.Code.DEVICE_NOT_FOUND, "b", "b: no device has this id; list the devices there are."));
        assertThat(check("a", "b")).isEqualTo(1);
        assertThat(shell.out())
                .isEqualTo("DEVICE_NOT_FOUND: b: no device has this id; `ferry devices` lists those there are.\n");
    }

    @Test
    void shouldGiveTheFindingsOfAMigrationThatWasNotBegun() {
        migrations.failure = Optional.of(Failure.of(FailureCode.CHECK_FAILED, "b", "b: it lacks X."));
        migrations.findings = List.of(new Finding(Finding.Code.FEATURES_MISMATCH, "b", "b: it lacks X."));

        assertThat(shell.run(new MigrateCommand(() -> migrations, new Background()), "a", "b", "--json")).isEqualTo(1);
        assertThat(shell.out()).contains("""
                  "findings": [
                    {
                      "code": "FEATURES_MISMATCH",
                """);
    }

    @Test
    void shouldRefuseAnEmptyName() {
        assertThat(check("a", "")).isEqualTo(2);
    }
}
