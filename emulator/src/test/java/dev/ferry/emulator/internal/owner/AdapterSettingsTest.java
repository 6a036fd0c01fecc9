// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ferry.emulator.internal.net.FunctionConfig;
import dev.ferry.virtio.VirtioFeature;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterSettingsTest {

    @ParameterizedTest
    @CsvSource({"0,1,2,1", "4096,255,32768,255", "1000,1,256,16"})
    void shouldAcceptTheWholeRange(int members, int queuePairs, int queueSize, int objectLimit) {
        AdapterSettings settings =
                Adapters.parts("host-1.lan", "pf_0", members, queuePairs, queueSize, true, objectLimit, true);
        assertThat(settings.ownerId()).isEqualTo("host-1.lan/pf_0");
    }

    @ParameterizedTest
    @CsvSource({
        "-1,1,256,255,members must be 0 to 4096",
        "4097,1,256,255,members must be 0 to 4096",
        "1,0,256,255,queuePairs must be 1 to 255",
        "1,256,256,255,queuePairs must be 1 to 255",
        "1,1,1,255,queueSize must be 2 to 32768",
        "1,1,65536,255,queueSize must be 2 to 32768",
        "1,1,255,255,queueSize must be a power of two",
        "1,1,256,0,objectLimit must be 1 to 255",
        "1,1,256,256,objectLimit must be 1 to 255",
    })
    void shouldSayWhichNumberIsWrongAndWhatItMayBe(
            int members, int queuePairs, int queueSize, int objectLimit, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Adapters.parts("h", "p", members, queuePairs, queueSize, false, objectLimit, true))
                .withMessageStartingWith(message);
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {
        "", " ", "a/b", "-a", "a b", "\u00e4", 
        "0123456789012345678901234567890123456789012345678901234567890123"
    })
    void shouldRefuseNamesThatMakeNoId(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Adapters.parts(name, "pf0", 1, 1, 256, false, 255, true))
                .withMessageStartingWith("host must be");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Adapters.parts("host1", name, 1, 1, 256, false, 255, true))
                .withMessageStartingWith("name must be");
    }

    @Test
    void shouldOfferWhatIsNotTurnedOff() {
        AdapterSettings settings = without(VirtioFeature.NET_CTRL_VLAN);

        assertThat(FunctionConfig.defaultFeatures(1) & ~settings.features())
                .isEqualTo(VirtioFeature.NET_CTRL_VLAN.mask());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> without(VirtioFeature.VERSION_1))
                .withMessageContaining("featuresOff must offer VIRTIO_F_VERSION_1");
    }

    private static AdapterSettings without(VirtioFeature feature) {
        return new AdapterSettings(
                "h", "p", 1, 1, 256, false, 255, feature.mask(), CommandSet.PARTS, true, true, Latency.NONE, 1);
    }

    @Test
    void shouldDifferInNothingButTheMembers() {
        AdapterSettings settings = Bench.settings(4, true);
        assertThat(settings.withMembers(9)).isEqualTo(Bench.settings(9, true));
    }
}
