// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ErrorsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "x: no device has this id; list the devices there are. | x: no device has this id; `ferry devices` lists those"
                + " there are.",
        "No device has the id x: list the devices there are, and start the bundle of its driver. | no device has the id"
                + " x: `ferry devices` lists those there are; where it is missing, start the bundle of its driver.",
        "No device has the id x. | no device has the id x; `ferry devices` lists those there are",
        "x is gone; `ferry devices` shows it. | x is gone; `ferry devices` shows it.",
    })
    void shouldNameTheCommandThatListsDevicesOnce(String told, String sentence) {
        assertThat(Errors.sentence(Failure.of(FailureCode.DEVICE_NOT_FOUND, told))).isEqualTo(sentence);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "It waits: allow more downtime or bandwidth, or let it switch over when it stalls. | it waits: allow more"
                + " downtime"
                + " (--max-downtime, --ramp-limit) or bandwidth (--bandwidth), or let it switch over when it stalls"
                + " (--on-stall switchover).",
        "It hangs, or allow more time without progress. | it hangs, or allow more time without progress"
                + " (--progress-timeout).",
        "Not within the 5 ms allowed: give it more time, or look. | not within the 5 ms allowed: give it more time"
                + " (--timeout), or look.",
    })
    void shouldNameTheOptionsThatDoWhatIsAdvised(String told, String sentence) {
        assertThat(Errors.sentence(Failure.of(FailureCode.NOT_CONVERGING, told))).isEqualTo(sentence);
    }
}
