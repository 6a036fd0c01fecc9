// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonStreamParser;
import dev.ferry.app.RunnableJar.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands of the runnable jar do with its bundles, as a script meets it: documents, files, one sentence. */
class CommandsIT {

    private static final int HOSTS = 2;
    private static final int MEMBERS = 4;

    @TempDir
    private Path folder;

    private RunnableJar jar;

    @BeforeEach
    void atTheFolder() {
        jar = new RunnableJar(folder);
    }

    @Test
    void shouldPrintADocumentForEachCommandWhenJsonIsAskedFor() throws Exception {
        Ended ended = jar.run(
                "", "-c", "transitions --json; devices --json; "
                        + "migrate host1/pf0/vf1 host2/pf0/vf1 --json --quiet --max-downtime 1h");

        assertThat(ended.err()).isEmpty();
        assertThat(ended.status()).isZero();
        JsonStreamParser documents = new JsonStreamParser(ended.out());
        JsonObject next = documents.next().getAsJsonObject().getAsJsonObject("next");
        assertThat(next.keySet()).hasSize(8);
        assertThat(next.getAsJsonObject("RUNNING").get("STOP").getAsString()).isEqualTo("RUNNING_P2P");
        assertThat(next.getAsJsonObject("STOP_COPY").get("PRE_COPY").isJsonNull()).isTrue();
        JsonObject devices = documents.next().getAsJsonObject();
        assertThat(devices.getAsJsonArray("devices"))
                .hasSize(HOSTS * MEMBERS)
                .allSatisfy(device -> assertKeys(
                        device, "id", "type", "host", "owner", "member", "backend", "state", "features"));
        assertThat(devices.getAsJsonArray("owners"))
                .hasSize(HOSTS)
                .allSatisfy(owner -> assertKeys(owner, "id", "host", "members"));
        JsonObject report = documents.next().getAsJsonObject();
        assertKeys(report, "result", "destination", "downtimeMillis", "totalMillis", "phases");
        assertThat(report.get("source").getAsString()).isEqualTo("host1/pf0/vf1");
        assertThat(report.get("stateBytes").getAsLong()).isPositive();
        assertThat(documents.hasNext()).isFalse();
    }

    @Test
    void shouldInspectAndRestoreWhatItSaved() throws Exception {
        Ended ended = jar.run("", "-c", "save host1/pf0/vf1 vf.state; restore vf.state host2/pf0/vf2; "
                + "state host2/pf0/vf2");
        assertThat(ended.err()).isEmpty();
        assertThat(ended.status()).isZero();

        ended = jar.run("", "inspect", "vf.state", "--json");

        assertThat(ended.status()).isZero();
        JsonObject inspected = JsonParser.parseString(ended.out()).getAsJsonObject();
        assertThat(inspected.get("valid").getAsBoolean()).isTrue();
        assertThat(inspected.get("format").getAsString()).isEqualTo("virtiovf");
        JsonElement first = inspected.getAsJsonArray("records").get(0);
        assertKeys(first, "offset", "size", "flags", "tag", "parts");
        assertKeys(
                first.getAsJsonObject().getAsJsonArray("parts").get(0),
                "offset", "type", "name", "flags", "selector", "length");
    }

    @Test
    void shouldSayInOneSentenceWhyACommandFailed() throws Exception {
        Files.write(folder.resolve("bad.state"), new byte[17]);

        Ended ended = jar.run("inspect bad.state --json\ntransitions STOP_COPY PRE_COPY\nstate host9/pf0/vf1\n");

        assertThat(ended.status()).isEqualTo(1);
        JsonObject inspected = JsonParser.parseString(ended.out()).getAsJsonObject();
        assertThat(inspected.get("valid").getAsBoolean()).isFalse();
        assertKeys(inspected.get("error"), "offset", "message");
        assertThat(ended.err().lines()).hasSize(3).allMatch(line -> line.startsWith("ferry: "));
        assertThat(ended.err().lines().skip(1))
                .satisfiesExactly(
                        refused -> assertThat(refused).contains("STOP_COPY", "PRE_COPY"),
                        unknown -> assertThat(unknown).contains("host9/pf0/vf1"));
    }

    private static void assertKeys(JsonElement document, String... keys) {
        assertThat(document.getAsJsonObject().keySet()).contains(keys);
    }
}
