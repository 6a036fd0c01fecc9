// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The descriptors that this process has open. */
final class OpenDescriptors {

    /** How many there are, the one that the count itself takes included. */
    static long count() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.count();
        }
    }

    private OpenDescriptors() {}
}
