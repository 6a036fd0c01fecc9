// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.app.RunnableJar.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the runnable jar says to a configuration of the backend for VFIO devices, on a host that has none. */
class VfioConfigurationIT {

    @TempDir
    private Path folder;

    private RunnableJar jar;

    @BeforeEach
    void prepare() {
        jar = new RunnableJar(folder);
    }

    private Ended run(String properties, String... command) throws Exception {
        Files.writeString(folder.resolve("vfio.json"), "{\"dev.ferry.vfio.backend\": {" + properties + "}}");
        String[] arguments = new String[command.length + 2];
        arguments[0] = "--config";
        arguments[1] = "vfio.json";
        System.arraycopy(command, 0, arguments, 2, command.length);
        return jar.run("", arguments);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "devices": ["nonsense"] | devices: 'nonsense' is neither a PCI address like 0000:3b:00.2 nor a UUID
            "handover.users": ["x"] | handover.users: 'x' is not a whole number from 0 to 4294967294
            "host": "a b", "devices": [] | host: 'a b' may have letters, digits, dots, dashes and underscores only
            """)
    void shouldEndWithTheOneReasonWhenTheConfigurationIsRefused(String properties, String reason) throws Exception {
        assertThat(run(properties, "devices")).isEqualTo(new Ended(1, "",
                "ferry: the configuration dev.ferry.vfio.backend is not valid: " + reason + "; correct it\n"));
    }

    @Test
    void shouldGiveTheReasonOfADeviceThatIsNotThere() throws Exception {
        String device = "\"host\": \"vm\", \"devices\": [\"0000:99:00.0\"], \"handover.users:Integer\": 107";
        String reason = "there is no PCI function or mediated device 0000:99:00.0 in this host; "
                + "correct the name";
        Ended ended = run(device, "state", "vm/0000:99:00.0");
        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.err()).endsWith("ferry: the device vm/0000:99:00.0 does not report its state: "
                + reason + "\n");
        ended = run(device, "devices", "--json");
        assertThat(ended.status()).isZero();
        assertThat(ended.out()).contains("\"type\": \"vfio\"", reason);
    }

    @Test
    void shouldWarnWhenAKeyHasNoEffect() throws Exception {
        Ended ended = run("\"acess\": \"cdev\"", "devices");
        assertThat(ended.status()).isZero();
        assertThat(ended.err().lines()).hasSize(1);
        assertThat(ended.err()).contains("the configuration dev.ferry.vfio.backend has keys without effect: acess; "
                + "the keys are access, data.timeout.millis, ");
    }
}
