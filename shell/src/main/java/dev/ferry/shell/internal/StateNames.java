// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.UsageException;
import dev.ferry.fsm.DeviceState;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Device states as users type them: the short names of the kernel header, in any case. */
final class StateNames {

    private StateNames() {}

    static DeviceState parse(String name) throws UsageException {
        for (DeviceState state : DeviceState.values()) {
            if (state.name().equals(name.toUpperCase(Locale.ROOT))) {
                return state;
            }
        }
        throw new UsageException("there is no device state '" + name + "'; the states are "
                + Arrays.stream(DeviceState.values()).map(DeviceState::name).collect(Collectors.joining(", ")));
    }
}
