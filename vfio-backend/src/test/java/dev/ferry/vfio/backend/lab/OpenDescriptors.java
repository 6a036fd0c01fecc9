// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The descriptors that processes have open. */
final class OpenDescriptors {

    /** How many this process has, the one that the count itself takes included. */
    static long count() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.count();
        }
    }

    /** How many there are in all other processes of such files, named as {@code /proc} names them. */
    static long ofOthers(Predicate<String> which) throws IOException {
        String own = Long.toString(ProcessHandle.current().pid());
        long count = 0;
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                count += process.endsWith(own) ? 0 : of(process.resolve("fd"), which);
            }
        }
        return count;
    }

    private static long of(Path folder, Predicate<String> which) throws IOException {
        long count = 0;
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(folder)) {
            for (Path descriptor : descriptors) {
                count += which.test(target(descriptor)) ? 1 : 0;
            }
        } catch (NoSuchFileException | DirectoryIteratorException e) {
            return 0; // the process has ended
        }
        return count;
    }

    /** Nothing for one that was closed in between. */
    private static String target(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    private OpenDescriptors() {}
}
