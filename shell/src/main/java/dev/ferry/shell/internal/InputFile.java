// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.UsageException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that a command reads. */
final class InputFile {

    private InputFile() {}

    static FileChannel open(Path file) throws IOException, UsageException {
        Names.requireFile(file);
        // Opening a folder would succeed, and fail later with less to say.
        if (Files.isDirectory(file)) {
            throw new FileSystemException(file.toString(), null, "it is a folder; name a file");
        }
        return FileChannel.open(file, StandardOpenOption.READ);
    }

    /** The same for a command that reads a file more than once, which a pipe does not allow. */
    static FileChannel openRegular(Path file) throws IOException, UsageException {
        if (Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file)) {
            throw new FileSystemException(
                    file.toString(), null, "not a regular file; copy its contents to one first");
        }
        return open(file);
    }
}
