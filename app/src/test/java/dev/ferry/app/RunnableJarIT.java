// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.app.RunnableJar.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runnable jar as a process: what reaches a command, and what comes out where. */
class RunnableJarIT {

    @TempDir
    private Path folder;

    private RunnableJar jar;

    @BeforeEach
    void atTheFolder() {
        jar = new RunnableJar(folder);
    }

    @Test
    void shouldPrintResultsAloneOnStandardOutputWhenACommandIsDone() throws Exception {
        Ended ended = jar.run("", "transitions", "STOP", "RUNNING");
        assertThat(ended).isEqualTo(new Ended(0, "STOP -> RUNNING_P2P -> RUNNING\n", ""));
        jar.assertNothingLeft();
    }

    @Test
    void shouldHaveTheDevicesOfTheDefaultConfigurationWhenACommandStarts() throws Exception {
        Ended ended = jar.run("", "devices");
        assertThat(ended.status()).isZero();
        for (String host : List.of("host1", "host2")) {
            assertThat(ended.out().lines().filter(line -> line.startsWith(host + "/pf0/vf"))).hasSize(4);
            assertThat(ended.out()).containsPattern("(?m)^" + host + "/pf0 +" + host + " +4$");
        }
        assertThat(ended.err()).isEmpty();
    }

    @Test
    void shouldPassArgumentsUnchangedWhenTheyHaveSpecialCharacters() throws Exception {
        String name = "a $b; 'c' \"d\" | {e} [f] (g) #h *";
        assertThat(jar.run("", "save", "host1/pf0/vf1", name).status()).isZero();
        assertThat(folder.resolve(name)).isNotEmptyFile();
    }

    @Test
    void shouldEndWithTwoAndListTheCommandsWhenTheCommandIsUnknown() throws Exception {
        Ended ended = jar.run("", "device");
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).isEqualTo("ferry: there is no command 'device'; the commands are admin, cancel, check, "
                + "demo, devices, inspect, jobs, legacy, migrate, report, restore, save, state, transitions "
                + "(usage: ferry --help)\n");
    }

    @Test
    void shouldGiveALegacyGuestsRegistersWhenAskedForThem() throws Exception {
        Ended ended = jar.run(
                "",
                "-c",
                "legacy --config host1/pf0/vf1 0 4; legacy --config host1/pf0/vf1 4 2 7; legacy host1/pf0/vf1 12 2");
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out()).isEqualTo("0x10001af4\n0x0100\n");
        assertThat(ended.status()).isZero();
    }

    @Test
    void shouldStopAtTheFirstCommandThatFailsWhenThereAreSeveral() throws Exception {
        Ended ended = jar.run("", "-c", "state host1/pf0/vf1 STOP; state host1/pf0/vf1 ERROR; devices");
        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.out()).isEqualTo("RUNNING -> RUNNING_P2P\nRUNNING_P2P -> STOP\n");
        assertThat(ended.err().lines()).hasSize(1).allMatch(line -> line.startsWith("ferry: "));
    }

    @Test
    void shouldReadCommandsToTheEndWhenNobodyTypes() throws Exception {
        Ended ended = jar.run("state host1/pf0/vf1 STOP\n\nstate nowhere\nstate --bogus\nstate host1/pf0/vf1\n");
        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.out()).isEqualTo("RUNNING -> RUNNING_P2P\nRUNNING_P2P -> STOP\nSTOP\n");
        assertThat(ended.err().lines()).hasSize(2).allMatch(line -> line.startsWith("ferry: "));
    }

    @Test
    void shouldAnswerAdminCommandsByteByByteWhenTheyAreGivenAsHex() throws Exception {
        String reserved = "00".repeat(12);
        String list = "0000000000000000" + "8303000000000000";
        Ended ended = jar.run("", "-c", String.join("; ",
                "admin host1/pf0 0000 0000 " + reserved + " 0000000000000000",
                "admin host1/pf0 00",
                "admin host1/pf0 0000 0000 " + reserved + " 0000000000000000 ffffffffff",
                "admin host1/pf0 00 --writable 9",
                "admin host1/pf0 00 --writable 3",
                "admin host1/pf0 00 --writable 0",
                "admin host1/pf0 1200 0100 " + reserved + " 0100000000000000",
                "admin host1/pf0 0080 0100 " + reserved + " 0100000000000000",
                "admin host1/pf0 0000 0200 " + reserved + " 0000000000000000",
                "admin host1/pf0 1100 0100 " + reserved + " 0500000000000000 01",
                "admin host1/pf0 1100 0100 " + reserved + " 0100000000000000 02",
                "admin host1/pf0 0d00 0100 " + reserved + " 0100000000000000 00000000 fa000000"));
        assertThat(ended.out().lines()).containsExactly(
                list,
                list,
                list,
                list.substring(0, 18),
                "000000",
                "1600020000000000",
                "1600020000000000",
                "1600040000000000",
                "1600050000000000",
                "1600030000000000",
                "0600030000000000");
        // Without space nothing is written, and no line is printed; the status is not told.
        assertThat(ended.err().lines()).hasSize(7).allMatch(line -> line.startsWith("status "));
        assertThat(ended.status()).isZero();
    }

    @Test
    void shouldLetAdminCommandsOfOneProcessSeeEachOthersEffect() throws Exception {
        String toMember1 = " 0100 " + "00".repeat(12) + " 0100000000000000 ";
        String object = "00000000 fa000000 ";
        String create = "admin host1/pf0 0a00" + toMember1 + object + "0000000000000000 01 00000000000000";
        String query = "admin host1/pf0 0c00" + toMember1 + object + "0000000000000000";
        String destroy = "admin host1/pf0 0d00" + toMember1 + object;
        String useAll = "admin host1/pf0 0100 0100 " + "00".repeat(12) + " 0000000000000000 83ff030000000000";
        Ended ended =
                jar.run("", "-c", String.join("; ", useAll, query, create, create, query, destroy, query, create));
        assertThat(ended.out().lines()).containsExactly(
                "0000000000000000",
                "0600030000000000",
                "0000000000000000",
                "1100030000000000",
                "0000000000000000" + "0100000000000000",
                "0000000000000000",
                "0600030000000000",
                "0000000000000000");
        assertThat(ended.status()).isZero();
        assertThat(jar.run("", "-c", useAll + "; " + query).out().lines())
                .as("another process")
                .containsExactly("0000000000000000", "0600030000000000");
    }

    @Test
    void shouldKeepMigrationsForLaterCommandsWhenTheyRunInTheBackground() throws Exception {
        Ended ended = jar.run(
                "",
                "-c",
                "migrate --background --quiet --max-downtime 1h host1/pf0/vf1,host1/pf0/vf2 "
                        + "host2/pf0/vf1,host2/pf0/vf2; jobs --wait; "
                        + "report; report --json");
        assertThat(ended.status()).isZero();
        assertThat(ended.err()).isEmpty();
        String id = ended.out().substring(0, ended.out().indexOf(' '));
        assertThat(ended.out())
                .startsWith(id + " started, and ends at the latest with this process; ")
                .contains("no migrations are under way in this process\n")
                .containsPattern("(?m)^" + id + " +\\S+ +COMPLETED +host1/pf0/vf1 to host2/pf0/vf1 and 1 more ")
                .contains("\"migration\": \"" + id + "\"");
        jar.assertNothingLeft();
    }

    @Test
    void shouldSayWhatIsWrongWithAMigrationThatIsAskedForWrongly() throws Exception {
        Ended ended = jar.run(
                "migrate a,b c\nmigrate a b --bandwidth 100M\nmigrate a b --max-downtime 300\ncancel m9\n");
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err().lines()).hasSize(4).allMatch(line -> line.startsWith("ferry: "));
        assertThat(ended.err()).contains("2 sources but 1 destination", "'100M' has the unit 'M'", "'300' is not",
                "no migration 'm9'");
    }

    @Test
    void shouldLoseNothingWhenVfsOfItsOwnMoveWithAndWithoutPreCopy() throws Exception {
        Ended ended = jar.run(
                "", "-c", "demo --vfs 8 --latency smartnic,firstLoad=100ms --max-downtime 1h --quiet --json; devices");
        assertThat(ended.status()).isZero();
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out())
                .startsWith("{\n  \"result\": \"COMPLETED\",\n  \"latency\": \"smartnic,firstLoad=100ms\"")
                .contains("\"withoutPreCopy\": {", "\"withPreCopy\": {", "demo-destination/pf0/vf8");
        assertThat(ended.out().lines().filter(line -> line.contains("\"lost\": 0,"))).hasSize(2 * (1 + 8));
        assertThat(ended.out().lines().filter(line -> line.contains("\"sent\": 20000"))).hasSize(2);
        // Taken away again.
        assertThat(ended.out()).doesNotContainPattern("(?m)^demo-");
        jar.assertNothingLeft();
    }

    @Test
    void shouldDisturbNothingWhenItIsADryRun() throws Exception {
        Ended ended = jar.run("", "-c", "migrate --quiet --max-downtime 1h --dry-run host1/pf0/vf1 host2/pf0/vf1; "
                + "state host1/pf0/vf1; state host2/pf0/vf1");
        assertThat(ended.status()).isZero();
        assertThat(ended.out()).contains(" PASSED\n").endsWith("RUNNING\nRUNNING\n");
    }

    @Test
    void shouldUseTheGivenConfigurationWhenThereIsOne() throws Exception {
        Files.writeString(folder.resolve("one.json"), """
                {"dev.ferry.emulator.adapter~x": {"host": "lab", "name": "pf7", "members:Integer": 1}}
                """);
        Ended ended = jar.run("", "--config", "one.json", "state", "lab/pf7/vf1");
        assertThat(ended).isEqualTo(new Ended(0, "RUNNING\n", ""));
    }

    @Test
    void shouldEndAtOnceWhenAnAdapterCannotCome() throws Exception {
        String adapter = """
                "dev.ferry.emulator.adapter~%s": {"host": "lab", "name": "pf7", "members:Integer": %d}""";
        Files.writeString(
                folder.resolve("two.json"), "{" + adapter.formatted("a", 1) + "," + adapter.formatted("b", 1) + "}");
        Ended ended = jar.run("", "--config", "two.json", "devices");
        assertThat(ended).isEqualTo(new Ended(1, "", "ferry: the configuration two.json cannot be used: "
                + "dev.ferry.emulator.adapter~a and dev.ferry.emulator.adapter~b both are the adapter lab/pf7; "
                + "change host or name in one of them\n"));
        Files.writeString(folder.resolve("many.json"), "{" + adapter.formatted("a", 5000) + "}");
        ended = jar.run("", "--config", "many.json", "devices");
        assertThat(ended).isEqualTo(new Ended(1, "", "ferry: the configuration dev.ferry.emulator.adapter~a is not "
                + "valid: members must be 0 to 4096, but is 5000; correct it\n"));
        // The log, which tells it as well, is silent unless it is asked for.
        ended = jar.run("", "--debug", "--config", "many.json", "devices");
        assertThat(ended.err()).containsPattern("ERROR .*ConfigurationOutcome: .* members must be 0 to 4096");
    }

    @Test
    void shouldEndAtOnceWhenTheDemoIsToldALatencyThatTheEmulatorDoesNotKnow() throws Exception {
        Ended ended = jar.run("", "demo", "--quiet", "--latency", "odd");
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err().lines()).hasSize(1);
        assertThat(ended.err()).startsWith("ferry: the emulator does not make the VFs of the demo: latency must")
                .contains("'odd'");
    }

    @Test
    void shouldWarnWhenPartsOfTheConfigurationHaveNoEffect() throws Exception {
        Files.writeString(folder.resolve("one.json"), """
                {"dev.ferry.emulator.adapter~x": {"host": "lab", "name": "pf7", "queuepairs": 2}, "foo.bar~x": {}}
                """);
        Ended ended = jar.run("", "--config", "one.json", "state", "lab/pf7/vf1");
        assertThat(ended.status()).isZero();
        assertThat(ended.out()).isEqualTo("RUNNING\n");
        assertThat(ended.err().lines()).hasSize(2);
        assertThat(ended.err())
                .contains("has keys without effect: queuepairs;")
                .contains("ferry: nothing here takes the configuration foo.bar~x, which has no effect\n");
    }

    @Test
    void shouldListCommandsWhenHelpIsAskedFor() throws Exception {
        Ended ended = jar.run("", "--help");
        assertThat(ended.status()).isZero();
        assertThat(ended.out()).contains("  transitions  The next-state matrix").contains("  demo ");
        assertThat(jar.run("", "help")).isEqualTo(ended);
        assertThat(jar.run("", "help", "devices").out()).startsWith("Usage: ferry devices ");
    }

    @Test
    void shouldSayWhatIsWrongWithTheTemporaryFolder() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + folder.resolve("none"),
                        "-jar",
                        RunnableJar.FILE.toString(),
                        "transitions")
                .redirectErrorStream(true)
                .start();
        assertThat(process.getInputStream().readAllBytes()).asString().contains(
                "no temporary folder can be made in " + folder.resolve("none") + ": there is no such folder;");
        assertThat(process.waitFor()).isEqualTo(1);
    }
}
