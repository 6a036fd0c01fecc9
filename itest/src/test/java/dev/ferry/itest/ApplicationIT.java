// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.ferry.itest.harness.Application;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The application as a person or a script runs it: arguments, outputs, exit status. */
class ApplicationIT {
    private static final int DONE = 0;
    private static final int FAILED = 1;
    private static final int WRONG_USAGE = 2;

    private static final int HOSTS = 2;
    private static final int MEMBERS = 4;

    /** Opcode LIST_QUERY, group type SR-IOV, the rest of the 24 bytes of the header zero. */
    private static final String LIST_QUERY = "00000100" + "00".repeat(20);

    @TempDir
    private Path folder;

    private Application ferry;

    @BeforeEach
    void makeApplication() {
        ferry = new Application(folder);
    }

    @Test
    void shouldPrintMatrixAndPathOfTransitions() throws Exception {
        Application.Run text = run(DONE, "transitions");
        assertThat(text.out()).contains("RUNNING_P2P", "PRE_COPY_P2P", "RESUMING");

        JsonObject matrix = run(DONE, "transitions", "--json").json();
        assertThat(strings(matrix.get("features"))).hasSize(3);
        JsonObject next = matrix.getAsJsonObject("next");
        assertThat(next.keySet()).hasSize(8);
        assertThat(next.getAsJsonObject("RUNNING").get("STOP").getAsString()).isEqualTo("RUNNING_P2P");
        assertThat(next.getAsJsonObject("STOP_COPY").get("PRE_COPY").isJsonNull()).isTrue();
    }

    @Test
    void shouldPrintOnePathOfTransitions() throws Exception {
        JsonObject path = run(DONE, "transitions", "RUNNING", "STOP", "--features", "stop-copy,p2p", "--json")
                .json();

        assertThat(strings(path.get("path"))).containsExactly("RUNNING", "RUNNING_P2P", "STOP");
    }

    @Test
    void shouldSayWhyPairOfStatesIsRefused() throws Exception {
        assertThat(run(FAILED, "transitions", "STOP_COPY", "PRE_COPY").err())
                .contains("STOP_COPY", "PRE_COPY")
                .doesNotContain("\tat ");
    }

    @Test
    void shouldListDevicesAndOwners() throws Exception {
        JsonObject json = run(DONE, "devices", "--json").json();

        assertThat(json.getAsJsonArray("devices")).hasSize(HOSTS * MEMBERS).allSatisfy(device -> assertThat(
                        device.getAsJsonObject().keySet())
                .contains("id", "type", "host", "owner", "member", "backend", "state", "features"));
        assertThat(json.getAsJsonArray("owners")).hasSize(HOSTS).allSatisfy(owner -> assertThat(
                        owner.getAsJsonObject().keySet())
                .contains("id", "host", "members"));
    }

    @Test
    void shouldMigrateBetweenDevices() throws Exception {
        JsonObject json = run(DONE, "migrate", "host1/pf0/vf1", "host2/pf0/vf1", "--json").json();

        assertThat(json.keySet())
                .contains("result", "source", "destination", "downtimeMillis", "totalMillis", "stateBytes", "phases");
        assertThat(json.get("source").getAsString()).isEqualTo("host1/pf0/vf1");
        assertThat(json.get("stateBytes").getAsLong()).isPositive();
    }

    @Test
    void shouldSaveInspectAndRestoreInOneProcess() throws Exception {
        Path file = folder.resolve("vf.state");

        run(DONE, "-c", "save host1/pf0/vf1 '" + file + "'; restore '" + file + "' host2/pf0/vf2; state host2/pf0/vf2");
        JsonObject inspected = run(DONE, "inspect", file.toString(), "--json").json();

        assertThat(inspected.get("valid").getAsBoolean()).isTrue();
        assertThat(inspected.get("format").getAsString()).isEqualTo("virtiovf");
        JsonObject first = inspected.getAsJsonArray("records").get(0).getAsJsonObject();
        assertThat(first.keySet()).contains("offset", "size", "flags", "tag", "parts");
        assertThat(first.getAsJsonArray("parts").get(0).getAsJsonObject().keySet())
                .contains("offset", "type", "name", "flags", "selector", "length");
    }

    @Test
    void shouldSayWhereSavedStreamIsMalformed() throws Exception {
        Path file = folder.resolve("bad.state");
        Files.write(file, new byte[17]);

        JsonObject inspected = run(FAILED, "inspect", file.toString(), "--json").json();

        assertThat(inspected.get("valid").getAsBoolean()).isFalse();
        assertThat(inspected.getAsJsonObject("error").keySet()).contains("offset", "message");
    }

    @Test
    void shouldExecuteRawAdminCommand() throws Exception {
        String out = run(DONE, "admin", "host1/pf0", LIST_QUERY).out().strip().replaceAll("\\s", "");

        assertThat(out).startsWith("00000000").hasSizeGreaterThan(16).matches("[0-9a-f]+");
    }

    @Test
    void shouldEndWithWrongUsageWhenCommandIsUnknown() throws Exception {
        Application.Run run = run(WRONG_USAGE, "teleport");

        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("teleport");
    }

    @Test
    void shouldEndWithOneSentenceWhenDeviceIsUnknown() throws Exception {
        Application.Run run = run(FAILED, "state", "host9/pf0/vf1");

        assertThat(run.out()).isEmpty();
        assertThat(run.err().strip().lines()).singleElement().asString().contains("host9/pf0/vf1");
    }

    @Test
    void shouldStopAtFirstCommandThatFails() throws Exception {
        Application.Run run = run(FAILED, "-c", "state host9/pf0/vf1; transitions");

        assertThat(run.out()).isEmpty();
    }

    @Test
    void shouldLoseNoFrameInDemonstration() throws Exception {
        JsonObject json = run(DONE, "demo", "--json").json();

        JsonObject frames = json.getAsJsonObject("frames");
        assertThat(frames.get("sent").getAsLong()).isPositive().isEqualTo(frames.get("received").getAsLong());
        for (String fault : List.of("lost", "duplicated", "reordered")) {
            assertThat(frames.get(fault).getAsLong()).as(fault).isZero();
        }
        JsonObject sides = json.getAsJsonObject("framesBySide");
        assertThat(sides.get("source").getAsLong()).isPositive();
        assertThat(sides.get("destination").getAsLong()).isPositive();
        assertThat(json.keySet())
                .contains("result", "downtimeMillis", "totalMillis", "stateBytes", "memoryBytes", "phases");
    }

    private Application.Run run(int status, String... arguments) throws Exception {
        Application.Run run = ferry.run(arguments);
        assertThat(run.status())
                .as("%s%nstandard output: %s%nstandard error: %s", List.of(arguments), run.out(), run.err())
                .isEqualTo(status);
        return run;
    }

    private static List<String> strings(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
                .map(JsonElement::getAsString)
                .toList();
    }
}
