// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a state for a restore, the new one of a device or its former one: in memory as far as that is allowed, the rest
 * in a temporary file that {@link #close} deletes. Written first, then read, by one job.
 *
 * <p>A file of {@code java.io}, since one of {@code java.nio} is closed when its thread is interrupted, and the former
 * state would be lost with it.
 */
final class Spool implements ByteSource, ByteSink, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Spool.class);
    private static final int SEGMENT_BYTES = 64 * 1024;

    private final String device;
    private final String content;
    private final Path directory;
    private final long memoryLimit;
    private final long fileLimit;
    private final Deque<ByteBuffer> inMemory = new ArrayDeque<>();
    private long memoryBytes;
    private int readBytes;
    private Path path;
    private RandomAccessFile file;
    private byte[] chunk;
    private long fileBytes;
    private long readFileBytes;

    /**
     * An empty spool for a device, with limits in bytes and the directory for its file.
     *
     * @param content which of its states, for messages
     */
    Spool(String device, String content, Path directory, long memoryLimit, long fileLimit) {
        this.device = device;
        this.content = content;
        this.directory = directory;
        this.memoryLimit = memoryLimit;
        this.fileLimit = fileLimit;
    }

    @Override
    public void write(ByteBuffer from) throws MigrationException {
        if (file == null && memoryBytes + from.remaining() <= memoryLimit) {
            memoryBytes += from.remaining();
            writeMemory(from);
            return;
        }
        if (fileBytes + from.remaining() > fileLimit) {
            throw failed(
                    "it is larger than the %d bytes allowed: raise spool.file.mib of %s."
                            .formatted(memoryLimit + fileLimit, Settings.PID),
                    null);
        }
        try {
            openFile();
            file.seek(fileBytes);
            while (from.hasRemaining()) {
                int bytes = Math.min(from.remaining(), chunk.length);
                from.get(chunk, 0, bytes);
                file.write(chunk, 0, bytes);
                fileBytes += bytes;
            }
        } catch (IOException e) {
            throw failed(e.toString(), e);
        }
    }

    /** Reads from the beginning to the end, once. */
    @Override
    public int read(ByteBuffer into) throws MigrationException {
        if (!inMemory.isEmpty()) {
            return readMemory(into);
        }
        if (readFileBytes == fileBytes) {
            return END;
        }
        try {
            file.seek(readFileBytes);
            int bytes = file.read(chunk, 0, Math.min(into.remaining(), chunk.length));
            if (bytes <= 0) {
                throw failed("its temporary file " + path + " was cut short.", null);
            }
            into.put(chunk, 0, bytes);
            readFileBytes += bytes;
            return bytes;
        } catch (IOException e) {
            throw failed(e.toString(), e);
        }
    }

    private void writeMemory(ByteBuffer from) {
        while (from.hasRemaining()) {
            if (inMemory.isEmpty() || !inMemory.getLast().hasRemaining()) {
                inMemory.add(ByteBuffer.allocate(SEGMENT_BYTES));
            }
            ByteBuffer last = inMemory.getLast();
            int bytes = Math.min(last.remaining(), from.remaining());
            last.put(from.slice(from.position(), bytes));
            from.position(from.position() + bytes);
        }
    }

    private int readMemory(ByteBuffer into) {
        ByteBuffer segment = inMemory.getFirst();
        int bytes = Math.min(segment.position() - readBytes, into.remaining());
        into.put(segment.slice(readBytes, bytes));
        readBytes += bytes;
        if (readBytes == segment.position()) {
            // Loaded once, needed no more.
            inMemory.removeFirst();
            readBytes = 0;
        }
        return bytes;
    }

    private void openFile() throws IOException {
        if (file == null) {
            // Made readable for the owner alone: it holds what the guest's device held.
            path = Files.createTempFile(directory, "ferry-restore-", ".state");
            file = new RandomAccessFile(path.toFile(), "rw");
            chunk = new byte[SEGMENT_BYTES];
            deleteEarly();
        }
    }

    /** Where a system lets an open file be deleted, nothing is left behind even by a Java machine that dies. */
    private void deleteEarly() {
        try {
            Files.delete(path);
        } catch (IOException e) {
            LOG.debug("{}: {} is deleted when it is closed", device, path, e);
        }
    }

    @Override
    public void close() {
        inMemory.clear();
        try {
            if (file != null) {
                file.close();
            }
            if (path != null) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            LOG.warn("{}: the temporary file {} with {} cannot be deleted; delete it", device, path, content, e);
        }
    }

    private MigrationException failed(String why, Exception cause) {
        return new MigrationException(
                Failure.of(
                        FailureCode.IO_FAILED,
                        device,
                        device + ": " + content + " cannot be kept for the restore: " + why),
                cause);
    }
}
