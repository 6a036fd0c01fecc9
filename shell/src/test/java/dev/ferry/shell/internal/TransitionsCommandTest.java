// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.TransitionTable;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TransitionsCommandTest {

    private final CommandFixture shell = new CommandFixture();
    private Set<MigrationFeature> asked;

    /** Knows one way only: from RUNNING by RUNNING_P2P to STOP. */
    private final class OneWay implements TransitionTable {
        @Override
        public Optional<DeviceState> next(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
            asked = features;
            return from == DeviceState.RUNNING && to == DeviceState.STOP
                    ? Optional.of(DeviceState.RUNNING_P2P)
                    : Optional.empty();
        }

        @Override
        public List<Arc> path(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
            return List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
        }

        @Override
        public Optional<String> refusal(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
            asked = features;
            return next(features, from, to).isPresent() ? Optional.empty() : Optional.of("there is no way");
        }
    }

    private int transitions(String... arguments) {
        return shell.run(new TransitionsCommand(OneWay::new), arguments);
    }

    @Test
    void shouldPrintEightLinesOfEightWhenNoStatesAreGiven() {
        assertThat(transitions()).isZero();
        List<String> lines = shell.out().lines().toList();
        assertThat(lines).hasSize(12);
        assertThat(lines.get(3).split(" +")).containsExactly(
                "FROM", "\\", "TO", "ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P", "PRE_COPY",
                "PRE_COPY_P2P");
        assertThat(lines.get(6).split(" +"))
                .containsExactly("RUNNING", "-", "RUNNING_P2P", "-", "-", "-", "-", "-", "-");
        assertThat(asked).containsExactlyInAnyOrder(MigrationFeature.values());
    }

    @Test
    void shouldPrintEveryPairOfTheMatrixWhenJsonIsAskedFor() {
        assertThat(transitions("--json", "--features", "stop-copy,P2P")).isZero();
        JsonObject document = JsonParser.parseString(shell.out()).getAsJsonObject();
        assertThat(document.get("features")).hasToString("[\"STOP_COPY\",\"P2P\"]");
        JsonObject next = document.getAsJsonObject("next");
        assertThat(next.keySet()).containsExactly(
                "ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P");
        assertThat(next.getAsJsonObject("RUNNING")).hasToString(
                "{\"ERROR\":null,\"STOP\":\"RUNNING_P2P\",\"RUNNING\":null,\"STOP_COPY\":null,\"RESUMING\":null,"
                        + "\"RUNNING_P2P\":null,\"PRE_COPY\":null,\"PRE_COPY_P2P\":null}");
        assertThat(asked).containsExactlyInAnyOrder(MigrationFeature.STOP_COPY, MigrationFeature.P2P);
    }

    @Test
    void shouldPrintThePathWhenTwoStatesAreGiven() {
        assertThat(transitions("running", "stop")).isZero();
        assertThat(shell.out()).isEqualTo("RUNNING -> RUNNING_P2P -> STOP\n");
        assertThat(transitions("running", "stop", "--json")).isZero();
        assertThat(JsonParser.parseString(shell.out()).getAsJsonObject().get("path"))
                .hasToString("[\"RUNNING\",\"RUNNING_P2P\",\"STOP\"]");
    }

    @Test
    void shouldExitWithOneAndSayWhyWhenThePairIsRefused() {
        assertThat(transitions("STOP", "ERROR", "--json")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: there is no way\n");
        JsonObject document = JsonParser.parseString(shell.out()).getAsJsonObject();
        assertThat(document.get("path").isJsonNull()).isTrue();
        assertThat(document.getAsJsonObject("error").get("code").getAsString()).isEqualTo("TRANSITION_REFUSED");
    }

    @Test
    void shouldExitWithTwoWhenArgumentsCannotBeMeant() {
        assertThat(transitions("STOP")).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: a path needs two states");
        assertThat(transitions("STOP", "GO")).isEqualTo(2);
        assertThat(transitions("--features", "p2p")).isEqualTo(2);
        assertThat(shell.err()).contains("without stop-copy has no meaning");
        assertThat(transitions("--features", "stop-copy,dma")).isEqualTo(2);
        assertThat(shell.err()).contains("there is no migration feature 'dma'");
    }

    @Test
    void shouldPrintADocumentAsWellWhenTheUsageIsWrongAndJsonIsAskedFor() {
        assertThat(transitions("STOP", "--json")).isEqualTo(2);
        JsonObject error = JsonParser.parseString(shell.out()).getAsJsonObject().getAsJsonObject("error");
        assertThat(error.get("code").getAsString()).isEqualTo("USAGE");
        assertThat(error.keySet()).containsExactly("code", "phase", "device", "errno", "message", "following");
        assertThat(error.get("message").getAsString()).isEqualTo("a path needs two states, FROM and TO");
    }
}
