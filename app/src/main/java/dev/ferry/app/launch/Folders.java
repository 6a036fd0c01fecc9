// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.launch;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/** Removes the folder of a run. */
final class Folders {

    private Folders() {}

    /** Makes a folder for a run; the error says what is wrong with the place for it. */
    static Path temporary() throws IOException {
        try {
            return Files.createTempDirectory("ferry-");
        } catch (IOException e) {
            throw new IOException(
                    ("no temporary folder can be made in %s: %s; name a better place with "
                            + "FERRY_JAVA_OPTS=-Djava.io.tmpdir=FOLDER")
                            .formatted(System.getProperty("java.io.tmpdir"), reason(e)),
                    e);
        }
    }

    private static String reason(IOException error) {
        if (error instanceof NoSuchFileException) {
            return "there is no such folder";
        }
        if (error instanceof AccessDeniedException) {
            return "no permission to write there";
        }
        boolean told = error instanceof FileSystemException file && file.getReason() != null;
        return told ? ((FileSystemException) error).getReason() : String.valueOf(error.getMessage());
    }

    /** Deletes a folder with all that is in it; one that is not there is fine. */
    static void delete(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path visited, IOException error) throws IOException {
                    Files.deleteIfExists(visited);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            System.err.println("ferry: the temporary folder " + folder + " could not be removed: " + e.getMessage());
        }
    }
}
