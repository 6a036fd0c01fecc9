// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.migration.Bandwidth;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class QuantitiesTest {

    @ParameterizedTest
    @CsvSource({
        "1B/s, 1",
        "8 bit/s, 1",
        "1kB/s, 1000",
        "1KiB/s, 1024",
        "100MB/s, 100000000",
        "100 MiB/s, 104857600",
        "2GB/s, 2000000000",
        "2GiB/s, 2147483648",
        "8kbit/s, 1000",
        "1Mbit/s, 125000",
        "1.5Gbit/s, 187500000",
        "0.5kB/s, 500",
        "unlimited, 9223372036854775807",
    })
    void shouldReadRates(String text, long bytesPerSecond) throws Exception {
        assertThat(Quantities.bandwidth("--bandwidth", text)).isEqualTo(new Bandwidth(bytesPerSecond));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "100", "100M", "100MB", "100MBps", "100Mb/s", "100mb/s", "100Mbps", "100KB/s", "1kiB/s", "MB/s", "",
        "1e3 B/s", "1,5 GB/s", "10  MB/s", "1.MB/s", "1234567890123B/s",
    })
    void shouldRefuseRatesThatAreNotClear(String text) {
        assertThatThrownBy(() -> Quantities.bandwidth("--bandwidth", text))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith("--bandwidth: '" + text + "' ")
                .hasMessageEndingWith("for example 100MB/s");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0B/s", "-1MB/s", "0.5B/s", "7bit/s", "999999999999GiB/s"})
    void shouldRefuseRatesOutOfBounds(String text) {
        assertThatThrownBy(() -> Quantities.bandwidth("--bandwidth", text))
                .hasMessage("--bandwidth: '" + text + "' is neither 1 B/s to 9223372036 GB/s nor 'unlimited'");
    }

    @Test
    void shouldReadTimes() throws Exception {
        assertThat(Quantities.time("300ms")).isEqualTo(Duration.ofMillis(300));
        assertThat(Quantities.time("1.5 s")).isEqualTo(Duration.ofMillis(1500));
        assertThat(Quantities.time("10min")).isEqualTo(Duration.ofMinutes(10));
        assertThat(Quantities.time("168h")).isEqualTo(Duration.ofDays(7));
        assertThat(Quantities.time("0.5ms")).isEqualTo(Duration.ofNanos(500_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"300", "5m", "5M", "ms", "", "--5s", "5 sec", "1d"})
    void shouldRefuseTimesWithoutAClearUnit(String text) {
        assertThatThrownBy(() -> Quantities.time(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessage("'" + text + "' is not a number with one of the units ms, s, min, h, for example"
                        + " 300ms");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0ms", "-5ms", "0.0000001ms", "169h", "999999999999h"})
    void shouldRefuseTimesOutOfBounds(String text) {
        assertThatThrownBy(() -> Quantities.time(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessage("'" + text + "' is not more than zero and at most 168 h");
    }
}
