// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ErrnoTest {

    @ParameterizedTest
    @CsvSource({
        "5,EIO", "6,ENXIO", "11,EAGAIN", "12,ENOMEM", "13,EACCES", "14,EFAULT", "16,EBUSY", "17,EEXIST", "19,ENODEV",
        "22,EINVAL", "25,ENOTTY", "28,ENOSPC", "29,ESPIPE", "42,ENOMSG", "75,EOVERFLOW", "95,EOPNOTSUPP",
        "110,ETIMEDOUT", "125,ECANCELED"
    })
    void shouldHaveTheNumberOfTheKernel(int number, Errno errno) {
        assertThat(errno.number()).isEqualTo(number);
        assertThat(Errno.ofNumber(number)).contains(errno);
    }

    @Test
    void shouldNotNameOtherNumbers() {
        assertThat(Errno.ofNumber(0)).isEmpty();
        assertThat(Errno.ofNumber(-22)).isEmpty();
    }
}
