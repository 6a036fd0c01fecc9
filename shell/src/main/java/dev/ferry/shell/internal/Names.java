// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.UsageException;
import java.nio.file.Path;

/** Names that a user typed; an unset variable of a script leaves an empty one. */
final class Names {

    private Names() {}

    static void requireDevice(String name) throws UsageException {
        if (name.isBlank()) {
            throw new UsageException("the device name is empty");
        }
    }

    static void requireFile(Path file) throws UsageException {
        if (file.toString().isBlank()) {
            throw new UsageException("the file name is empty");
        }
    }
}
