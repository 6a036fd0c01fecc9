// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StateCommandTest {

    private final FakeMigrations migrations = new FakeMigrations();
    private final CommandFixture shell = new CommandFixture();

    private int state(String... arguments) {
        return shell.run(new StateCommand(() -> migrations), arguments);
    }

    @Test
    void shouldPrintTheStateWhenNoNewOneIsGiven() {
        assertThat(state(FakeMigrations.DEVICE)).isZero();
        assertThat(shell.out()).isEqualTo("RUNNING\n");
    }

    @Test
    void shouldPrintTheArcsWhenTheStateIsSet() {
        assertThat(state(FakeMigrations.DEVICE, "stop")).isZero();
        assertThat(shell.out()).isEqualTo("RUNNING -> RUNNING_P2P\nRUNNING_P2P -> STOP\n");
    }

    @Test
    void shouldSayThatNoArcWasTakenWhenTheDeviceIsThereAlready() {
        assertThat(state(FakeMigrations.DEVICE, "RUNNING")).isZero();
        assertThat(shell.out()).isEqualTo("RUNNING: no arc taken\n");
    }

    @Test
    void shouldResetWhenAsked() {
        assertThat(state("--reset", FakeMigrations.DEVICE)).isZero();
        assertThat(shell.out()).isEqualTo("RUNNING: the device was reset, no arc taken\n");
    }

    @Test
    void shouldRefuseAResetToAnotherState() {
        assertThat(state("--reset", FakeMigrations.DEVICE, "STOP")).isEqualTo(2);
        assertThat(shell.out()).isEmpty();
    }

    @Test
    void shouldPrintTheArcsAsDocumentWhenJsonIsAskedFor() {
        assertThat(state("--json", FakeMigrations.DEVICE, "STOP")).isZero();
        assertThat(shell.out()).isEqualTo("""
                {
                  "device": "host1/pf0/vf1",
                  "from": "RUNNING",
                  "arcs": [
                    {
                      "from": "RUNNING",
                      "to": "RUNNING_P2P"
                    },
                    {
                      "from": "RUNNING_P2P",
                      "to": "STOP"
                    }
                  ],
                  "state": "STOP"
                }
                """);
    }

    @Test
    void shouldExitWithTwoAndListTheStatesWhenTheNameIsUnknown() {
        assertThat(state(FakeMigrations.DEVICE, "PAUSED")).isEqualTo(2);
        assertThat(shell.err()).isEqualTo("ferry: there is no device state 'PAUSED'; the states are ERROR, STOP, "
                + "RUNNING, STOP_COPY, RESUMING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P (usage: ferry state --help)\n");
    }

    @Test
    void shouldExitWithOneWhenTheDeviceIsUnknown() {
        assertThat(state("nowhere")).isEqualTo(1);
        assertThat(shell.err()).startsWith("ferry: there is no device nowhere;");
    }

    @Test
    void shouldExitWithOneWhenTheDeviceDoesNotTell() {
        migrations.deviceState = Optional.empty();
        assertThat(state(FakeMigrations.DEVICE)).isEqualTo(1);
        assertThat(shell.err()).isEqualTo(
                "ferry: the device host1/pf0/vf1 does not report its state; is its owner device still there?\n");
    }

    @Test
    void shouldGiveTheDevicesOwnReasonWhenItCannotBeMigrated() {
        migrations.more.add(new DeviceDescription("vm/0000:3b:00.2", "vfio", "vm", Optional.empty(),
                OptionalInt.empty(), "vfio", Optional.empty(), Set.of(), Optional.of("it is not in this host")));
        assertThat(state("vm/0000:3b:00.2")).isEqualTo(1);
        assertThat(shell.err())
                .isEqualTo("ferry: the device vm/0000:3b:00.2 does not report its state: it is not in this host\n");
    }

    @Test
    void shouldNotSpeakOfAnOwnerDeviceWhenThereIsNone() {
        assertThat(state("mdev0")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: the device mdev0 does not report its state\n");
    }

    @Test
    void shouldPrintTheRefusalWhenTheServiceRefuses() {
        migrations.failure = Optional.of(Failure.of(FailureCode.TRANSITION_REFUSED, "no way to ERROR"));
        assertThat(state(FakeMigrations.DEVICE, "ERROR")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: no way to ERROR\n");
    }
}
