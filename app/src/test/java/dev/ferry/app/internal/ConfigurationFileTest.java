// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationFileTest {

    @TempDir
    private Path folder;

    @Test
    void shouldDescribeTwoHostsOfFourWhenItIsTheDefault() throws IOException {
        List<Configuration> configurations =
                ConfigurationFile.parse(Files.readString(Path.of("../cnf/default-configuration.json")));
        assertThat(configurations).containsExactly(
                new Configuration(Configuration.ADAPTER, "host1", Map.of(
                        "host", "host1", "name", "pf0", "members", 4, "queue.pairs", 1, "queue.size", 256)),
                new Configuration(Configuration.ADAPTER, "host2", Map.of(
                        "host", "host2", "name", "pf0", "members", 4, "queue.pairs", 1, "queue.size", 256)));
        assertThat(configurations)
                .extracting(configuration -> Adapters.ownerId(configuration.properties()))
                .containsExactly("host1/pf0", "host2/pf0");
    }

    @Test
    void shouldGiveEachValueItsTypeWhenItIsNamed() {
        List<Configuration> configurations = ConfigurationFile.parse("""
                {":configurator:version": "1.0",
                 "a.pid": {"b:Boolean": "true", "i:Integer": 7, "l:Long": 8, "d:Double": 1, "s:String": "x",
                           "plain": 9, "part": 1.5, "flag": false, "text": "y", ":configurator:policy": "force"}}
                """);
        assertThat(configurations).containsExactly(new Configuration("a.pid", "", Map.of(
                "b", true, "i", 7, "l", 8L, "d", 1.0, "s", "x", "plain", 9L, "part", 1.5, "flag", false, "text", "y")));
    }

    @Test
    void shouldGiveListsWhenValuesAreArrays() {
        List<Configuration> configurations = ConfigurationFile.parse("""
                {"a.pid": {"names": ["x", "y"], "none": [], "users:Integer[]": [1, 2]}}
                """);
        assertThat(configurations).containsExactly(new Configuration("a.pid", "", Map.of(
                "names", List.of("x", "y"), "none", List.of(), "users", List.of(1, 2))));
    }

    @Test
    void shouldNameTheFileWhenItCannotBeRead() throws IOException {
        Path file = folder.resolve("x.json");
        for (String text : List.of("[]", "{", "{\"a\": 1}", "{\"a\": {\"b\": [[]]}}", "{\"a\": {\"b\": {}}}",
                "{\"a\": {\"b:Integer\": [1]}}", "{\"a\": {\"b:Integer\": 1.5}}", "{\"a\": {\"b:Integer\": \"x\"}}",
                "{\"a\": {\"b:Thing\": 1}}")) {
            Files.writeString(file, text);
            assertThatThrownBy(() -> ConfigurationFile.read(Optional.of(file)))
                    .as(text)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("the configuration " + file + " cannot be used: ");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '#', value = {
        "{|End of input at line 1",
        "{'a': {'b:Integer': 'x'}}|a, b:Integer is no Integer: x",
        "{'a': {'b:Integer': 5000000000}}|a, b:Integer is no Integer: 5000000000",
        "{'a': {'b': 5000000000000000000000}}|a, b is no Long: 5000000000000000000000"
    })
    void shouldSayWhatIsWrongWithoutNamesOfClasses(String text, String reason) throws IOException {
        Path file = Files.writeString(folder.resolve("x.json"), text.replace('\'', '"'));
        assertThatThrownBy(() -> ConfigurationFile.read(Optional.of(file)))
                .hasMessageContaining("cannot be used: " + reason)
                .message()
                .doesNotContain("Exception", "\n");
    }

    @Test
    void shouldRefuseAnAdapterWhenItHasNoIdOfItsOwn() {
        String adapter = "\"dev.ferry.emulator.adapter~%s\": {%s}";
        for (String key : List.of("host", "name")) {
            String other = key.equals("host") ? "\"name\": \"p\"" : "\"host\": \"h\"";
            for (String blank : List.of("", ", \"" + key + "\": \" \"")) {
                assertThatThrownBy(() -> ConfigurationFile.parse("{" + adapter.formatted("x", other + blank) + "}"))
                        .hasMessage("dev.ferry.emulator.adapter~x has no " + key);
            }
        }
        String same = "\"host\": \"h\", \"name\": \"p\"";
        assertThatThrownBy(() -> ConfigurationFile.parse(
                        "{" + adapter.formatted("a", same) + ", " + adapter.formatted("b", same) + "}"))
                .hasMessage("dev.ferry.emulator.adapter~a and dev.ferry.emulator.adapter~b both are the adapter h/p;"
                        + " change host or name in one of them");
    }

    @Test
    void shouldRefuseAFileWhenItIsTooLargeOrNotThere() throws IOException {
        Path file = Files.write(folder.resolve("x.json"), new byte[(1 << 20) + 1]);
        assertThatThrownBy(() -> ConfigurationFile.read(Optional.of(file))).hasMessageContaining("is larger than");
        assertThatThrownBy(() -> ConfigurationFile.read(Optional.of(folder.resolve("none"))))
                .isInstanceOf(NoSuchFileException.class);
    }
}
