// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The file by which a listening socket is found: made where nobody has one, touched only while it is the same.
 * Thread-safe.
 */
final class SocketFile {
    /** Who may connect is decided by credentials; other users than these need not even reach that. */
    private static final String OWN_USER = "rw-------";
    private static final String EVERYBODY = "rw-rw-rw-";

    private final Path path;
    private final Object key;
    private String mode = "";
    /** Nothing is the same any more: the kernel may give the number of what is gone to another file. */
    private boolean removed;

    private SocketFile(Path path, Object key) {
        this.path = path;
        this.key = key;
    }

    /** The file of a socket that was just bound to a path, and is open for as long as this is used. */
    static SocketFile of(Path path) throws IOException {
        return new SocketFile(path, attributes(path).fileKey());
    }

    Path path() {
        return path;
    }

    /** Lets other users reach the socket, or this process's own and root alone; does nothing where that is so. */
    synchronized void letReach(boolean others) throws IOException {
        String wanted = others ? EVERYBODY : OWN_USER;
        if (!wanted.equals(mode) && isThere()) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(wanted));
            mode = wanted;
        }
    }

    /** Removes the file, once; where another has taken its place, nothing. */
    synchronized void remove() throws IOException {
        if (isThere()) {
            Files.deleteIfExists(path);
            removed = true;
        }
    }

    private boolean isThere() throws IOException {
        try {
            return !removed && attributes(path).fileKey().equals(key);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /**
     * Makes room for a socket. A process that was killed leaves one at which nobody listens; that is removed.
     *
     * @throws DeviceException EBUSY with one sentence on what else is there, which is left as it is
     */
    static void makeRoom(SystemCalls calls, Path path) throws IOException {
        int kind;
        try {
            kind = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & Posix.S_IFMT;
        } catch (NoSuchFileException e) {
            return;
        }
        if (kind != Posix.S_IFSOCK) {
            throw new DeviceException(Errno.EBUSY,
                    "there is %s at %s; remove it, or set handover.socket to another path"
                            .formatted(nameOf(kind), path));
        }
        int errno = UnixSocket.tryToConnect(calls, path);
        switch (errno) {
            case LinuxErrno.ECONNREFUSED -> Files.deleteIfExists(path);
            case LinuxErrno.ENOENT -> {
                // It was removed in between.
            }
            case 0, LinuxErrno.EAGAIN, LinuxErrno.EPROTOTYPE -> throw new DeviceException(Errno.EBUSY,
                    "another process listens at %s; end it, or set handover.socket to another path".formatted(path));
            default -> throw new DeviceException(Errno.EBUSY,
                    "there is a socket at %s, and it is unknown whether anybody listens (%s); remove it if nobody does"
                            .formatted(path, LinuxErrno.name(errno)));
        }
    }

    private static String nameOf(int kind) {
        return switch (kind) {
            case Posix.S_IFREG -> "a file";
            case Posix.S_IFDIR -> "a folder";
            case Posix.S_IFLNK -> "a symbolic link";
            default -> "a device or a pipe";
        };
    }

    private static BasicFileAttributes attributes(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }
}
