// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;

/**
 * A file that is written beside its place and moved there once it is whole, so that its name never stands for half a
 * file. A new one can be read by its owner alone, as it may hold what a guest's device held; one that is replaced keeps
 * its permissions. What is no regular file, a pipe or {@code /dev/stdout}, is written directly. Not thread-safe; a
 * thread that is interrupted while it writes closes it.
 */
public final class ReplacedFile implements Closeable {

    private static final Set<OpenOption> NEW = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    private static final Set<PosixFilePermission> OWNER =
            Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private final Path target;
    private final Path written;
    private final FileChannel channel;

    private ReplacedFile(Path target, Path written, FileChannel channel) {
        this.target = target;
        this.written = written;
        this.channel = channel;
    }

    /**
     * Opens it for writing; the file of this name, if there is one, stays as it is until {@link #commit}.
     *
     * @throws FileSystemException when that cannot be; names the file or its folder, as the user knows them
     */
    public static ReplacedFile open(Path file) throws IOException {
        // A symbolic link stays one: what it points to is replaced.
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        if (Files.isDirectory(target)) {
            throw new FileSystemException(file.toString(), null, "it is a folder; name a file");
        }
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            return new ReplacedFile(target, target, FileChannel.open(target, StandardOpenOption.WRITE));
        }
        Path folder = target.getParent();
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(
                    folder.toString(), null, "there is no folder %s; make it first".formatted(folder));
        }
        Path written = folder.resolve("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            return new ReplacedFile(
                    target,
                    written,
                    FileChannel.open(written, NEW, ownerAlone(written)));
        } catch (AccessDeniedException e) {
            // The user knows nothing of the file beside.
            throw new AccessDeniedException(folder.toString());
        } catch (FileSystemException e) {
            throw new FileSystemException(file.toString(), null, e.getReason());
        }
    }

    private static FileAttribute<?>[] ownerAlone(Path file) {
        return isPosix(file)
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER)}
                : new FileAttribute<?>[0];
    }

    private static boolean isPosix(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    /** Takes the bytes. */
    public FileChannel channel() {
        return channel;
    }

    /** Puts what was written in its place. */
    public void commit() throws IOException {
        if (!written.equals(target)) {
            channel.force(true);
            channel.close();
            if (isPosix(target) && Files.exists(target)) {
                Files.setPosixFilePermissions(written, Files.getPosixFilePermissions(target));
            }
            Files.move(written, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Without a {@link #commit} before, nothing of what was written is left. */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            if (!written.equals(target)) {
                Files.deleteIfExists(written);
            }
        }
    }
}
