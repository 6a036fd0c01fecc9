// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The demo's guest moves with everything real that there is without hardware: what pre-copy saves, what becomes of the
 * frames, and what of a guest that writes faster than its memory can be carried.
 */
class LiveMigrationIT {

    private static final int FRAMES = 20_000;
    /** What a device of the profile `smartnic` takes for the first state that it loads. */
    private static final double FIRST_LOAD_MILLIS = 1480;
    /** Whether the downtime is short enough is not what most of this is about, and a busy machine makes it longer. */
    private static final List<String> ANY_DOWNTIME = List.of("--max-downtime", "1h");

    @TempDir
    private Path folder;

    private RunnableJar jar;

    @BeforeEach
    void atTheFolder() {
        jar = new RunnableJar(folder);
    }

    /**
     * What takes a device longest it does before the guest is paused. Devices take their time however fast the machine
     * is, and a busy one makes all of it longer, so only the least of each time is asked for.
     */
    @ParameterizedTest(name = "{0} VFs")
    @ValueSource(ints = {1, 2, 4, 16})
    void shouldLoadForTheFirstTimeWhileTheGuestRunsWhenDevicesTakeTheirTimeAndThereIsPreCopy(int vfs)
            throws Exception {
        JsonObject comparison = compare("smartnic", vfs);

        JsonObject without = comparison.getAsJsonObject("withoutPreCopy");
        assertThat(without.get("downtimeMillis").getAsDouble()).isGreaterThanOrEqualTo(FIRST_LOAD_MILLIS);
        JsonObject with = comparison.getAsJsonObject("withPreCopy");
        assertThat(millis(with, "PRE_COPY")).isGreaterThanOrEqualTo(FIRST_LOAD_MILLIS);
        List<String> loadedBefore = new ArrayList<>(Collections.nCopies(vfs, "ACKNOWLEDGED"));
        loadedBefore.add("SWITCHOVER");
        assertThat(decisions(with)).containsSubsequence(loadedBefore);
        for (String change : List.of("downtimeLessPercent", "totalMorePercent")) {
            assertThat(comparison.get(change).isJsonNull()).as(change).isFalse();
        }
    }

    private static double millis(JsonObject report, String phase) {
        return StreamSupport.stream(report.getAsJsonArray("phases").spliterator(), false)
                .map(JsonElement::getAsJsonObject)
                .filter(each -> each.get("name").getAsString().equals(phase))
                .mapToDouble(each -> each.get("millis").getAsDouble())
                .sum();
    }

    @ParameterizedTest(name = "{0} VFs")
    @ValueSource(ints = {1, 2, 4, 16})
    void shouldHarmNoFrameWhenDevicesTakeNoTime(int vfs) throws Exception {
        compare("none", vfs);
    }

    /** One migration without pre-copy and one with it, of a guest with so many VFs; neither harms a frame. */
    private JsonObject compare(String latency, int vfs) throws Exception {
        List<String> options = new ArrayList<>(List.of("--latency", latency, "--vfs", String.valueOf(vfs)));
        options.addAll(ANY_DOWNTIME);
        JsonObject comparison = demo(0, options.toArray(String[]::new));
        assertThat(comparison.get("result").getAsString()).isEqualTo("COMPLETED");
        for (String way : List.of("withoutPreCopy", "withPreCopy")) {
            JsonObject report = comparison.getAsJsonObject(way);
            assertNoFrameHarmed(report.getAsJsonObject("frames"), FRAMES);
            assertThat(report.getAsJsonArray("vfs")).hasSize(vfs).allSatisfy(vf ->
                    assertNoFrameHarmed(vf.getAsJsonObject().getAsJsonObject("frames"), FRAMES / vfs));
            assertThat(report.getAsJsonObject("framesBySide").get("destination").getAsInt()).isPositive();
        }
        return comparison;
    }

    /** 50 MB/s carry 5 MB in the 100 ms allowed; the guest writes all of its 16 MiB in less than a round. */
    @Test
    void shouldLeaveTheGuestWhereItIsWhenItWritesTooFast() throws Exception {
        JsonObject report = demo(1, "--writes", "200MB/s", "--bandwidth", "50MB/s", "--max-downtime", "100ms");

        assertThat(report.get("result").getAsString()).isEqualTo("FAILED");
        assertThat(report.getAsJsonObject("error").get("code").getAsString()).isEqualTo("NOT_CONVERGING");
        assertNoFrameHarmed(report.getAsJsonObject("frames"), FRAMES);
        assertThat(report.getAsJsonObject("framesBySide").get("destination").getAsInt()).isZero();
        assertThat(decisions(report)).contains("STALL").doesNotContain("RAMP", "FORCED", "SWITCHOVER");
    }

    @Test
    void shouldRampAndThenSwitchOverAllTheSameWhenThatIsAskedFor() throws Exception {
        JsonObject report = demo(
                0, "--writes", "200MB/s", "--bandwidth", "50MB/s", "--max-downtime", "50ms", "--ramp-limit", "100ms",
                "--on-stall", "switchover");

        assertThat(report.get("result").getAsString()).isEqualTo("COMPLETED");
        assertNoFrameHarmed(report.getAsJsonObject("frames"), FRAMES);
        assertThat(decisions(report)).containsSubsequence("RAMP", "STALL", "FORCED");
        assertThat(report.get("downtimeMillis").getAsDouble()).isGreaterThan(100);
    }

    /** All 16 MiB take longer at 50 MB/s than the 300 ms allowed; what is written meanwhile takes a hundredth. */
    @Test
    void shouldSwitchOverWhenTheGuestWritesSlowlyEnough() throws Exception {
        JsonObject report = demo(0, "--writes", "500kB/s", "--bandwidth", "50MB/s");

        assertThat(report.get("result").getAsString()).isEqualTo("COMPLETED");
        assertNoFrameHarmed(report.getAsJsonObject("frames"), FRAMES);
        assertThat(decisions(report)).contains("SWITCHOVER").doesNotContain("RAMP", "STALL", "FORCED");
        assertThat(report.getAsJsonObject("memory").get("rounds").getAsInt()).isPositive();
        assertThat(report.getAsJsonObject("plan").getAsJsonObject("memory").get("tracked").getAsBoolean()).isTrue();
    }

    private JsonObject demo(int status, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("demo", "--quiet", "--json"));
        arguments.addAll(List.of(options));
        RunnableJar.Ended ended = jar.run("", arguments.toArray(String[]::new));
        assertThat(ended.status()).as("%s", ended).isEqualTo(status);
        jar.assertNothingLeft();
        return JsonParser.parseString(ended.out()).getAsJsonObject();
    }

    private static void assertNoFrameHarmed(JsonObject frames, int sent) {
        assertThat(frames.get("sent").getAsInt()).isEqualTo(sent);
        assertThat(frames.get("received").getAsInt()).isEqualTo(sent);
        for (String harm : List.of("lost", "duplicated", "reordered", "changed")) {
            assertThat(frames.get(harm).getAsInt()).as(harm).isZero();
        }
    }

    private static List<String> decisions(JsonObject report) {
        return StreamSupport.stream(report.getAsJsonArray("decisions").spliterator(), false)
                .map(JsonElement::getAsJsonObject)
                .map(decision -> decision.get("kind").getAsString())
                .toList();
    }
}
