// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommandLineOptionsTest {

    private static CommandLineOptions parse(String... arguments) throws CommandLineOptions.Misuse {
        return CommandLineOptions.parse(List.of(arguments));
    }

    @Test
    void shouldKeepArgumentsUnchangedWhenTheyFollowTheCommand() throws Exception {
        assertThat(parse("inspect", "$a; b | c", "-c", "--help", "--config").command())
                .containsExactly("inspect", "$a; b | c", "-c", "--help", "--config");
    }

    @Test
    void shouldKnowDebugOnlyWhenItStandsBeforeTheCommand() throws Exception {
        assertThat(parse("--debug", "state", "x").debug()).isTrue();
        assertThat(parse("--debug", "state", "x").command()).containsExactly("state", "x");
        assertThat(parse("--debug", "-c", "state x").debug()).isTrue();
        assertThat(parse("state", "--debug").debug()).isFalse();
    }

    @Test
    void shouldTakeValuesWhenOptionsHaveOne() throws Exception {
        CommandLineOptions options = parse("--config", "a b.json", "-c", "devices; devices");
        assertThat(options.configuration()).contains(Path.of("a b.json"));
        assertThat(options.script()).contains("devices; devices");
    }

    @Test
    void shouldTakeAnyNumberOfBundles() throws Exception {
        assertThat(parse("devices").bundles()).isEmpty();
        assertThat(parse("--bundle", "b.jar", "--bundle", "a.jar", "devices").bundles())
                .containsExactly(Path.of("b.jar"), Path.of("a.jar"));
        assertThat(parse("devices", "--bundle", "a.jar").bundles()).isEmpty();
    }

    @Test
    void shouldKnowHelpAndVersion() throws Exception {
        assertThat(parse("-h").help()).isTrue();
        assertThat(parse("--help").help()).isTrue();
        assertThat(parse("--version").version()).isTrue();
        assertThat(parse("devices", "--version").version()).isFalse();
    }

    @Test
    void shouldTakeHelpForTheHelpOfTheCommandThatFollows() throws Exception {
        assertThat(parse("help").help()).isTrue();
        assertThat(parse("help").command()).isEmpty();
        assertThat(parse("help", "devices").help()).isTrue();
        assertThat(parse("help", "devices").command()).containsExactly("devices");
        assertThat(parse("state", "help").help()).isFalse();
    }

    @Test
    void shouldRefuseWhatCannotBeMeant() {
        assertThatThrownBy(() -> parse("--json", "devices"))
                .hasMessage("unknown option: '--json'; options of a command follow its name");
        assertThatThrownBy(() -> parse("-c")).hasMessage("-c needs a value: -c \"CMD; CMD\"");
        assertThatThrownBy(() -> parse("--config")).hasMessage("--config needs a value: --config FILE");
        assertThatThrownBy(() -> parse("--bundle")).hasMessage("--bundle needs a value: --bundle FILE");
        assertThatThrownBy(() -> parse("-c", "state", "x")).hasMessageStartingWith("-c takes one argument");
    }

    @Test
    void shouldRefuseAnOptionThatStandsTwiceOrIsEmpty() {
        assertThatThrownBy(() -> parse("-c", "devices", "-c", "state x"))
                .hasMessage("-c is given more than once; put all commands into one: -c \"CMD; CMD\"");
        assertThatThrownBy(() -> parse("--config", "a", "--config", "b"))
                .hasMessage("--config is given more than once; name one file");
        assertThatThrownBy(() -> parse("--config", "")).hasMessage("the value of --config is empty: --config FILE");
    }
}
