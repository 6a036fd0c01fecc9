// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps the former state of a device while a new one is loaded: in memory as far as that is allowed, the rest in a
 * temporary file that {@link #close} deletes. Written first, then read, by one job.
 */
final class Spool implements ByteSource, ByteSink, AutoCloseable {

    private final String device;
    private final long memoryLimit;
    private final long fileLimit;
    private final List<ByteBuffer> inMemory = new ArrayList<>();
    private long memoryBytes;
    private int readBuffers;
    private Path path;
    private FileChannel file;
    private long fileBytes;
    private long readFileBytes;

    /** An empty spool for a device, with limits in bytes. */
    Spool(String device, long memoryLimit, long fileLimit) {
        this.device = device;
        this.memoryLimit = memoryLimit;
        this.fileLimit = fileLimit;
    }

    @Override
    public void write(ByteBuffer from) throws MigrationException {
        if (file == null && memoryBytes + from.remaining() <= memoryLimit) {
            memoryBytes += from.remaining();
            inMemory.add(ByteBuffer.allocate(from.remaining()).put(from).flip());
            return;
        }
        if (fileBytes + from.remaining() > fileLimit) {
            throw failed("it is larger than the " + (memoryLimit + fileLimit) + " bytes allowed: raise spool.file.mib.", null);
        }
        try {
            openFile();
            while (from.hasRemaining()) {
                fileBytes += file.write(from, fileBytes);
            }
        } catch (IOException e) {
            throw failed(e.toString(), e);
        }
    }

    /** Reads from the beginning to the end, once. */
    @Override
    public int read(ByteBuffer into) throws MigrationException {
        if (readBuffers < inMemory.size()) {
            return readMemory(into);
        }
        if (readFileBytes == fileBytes) {
            return END;
        }
        try {
            int bytes = file.read(into, readFileBytes);
            if (bytes <= 0) {
                throw failed("its temporary file " + path + " was cut short.", null);
            }
            readFileBytes += bytes;
            return bytes;
        } catch (IOException e) {
            throw failed(e.toString(), e);
        }
    }

    private int readMemory(ByteBuffer into) {
        ByteBuffer next = inMemory.get(readBuffers);
        int bytes = Math.min(next.remaining(), into.remaining());
        into.put(next.slice(next.position(), bytes));
        next.position(next.position() + bytes);
        if (!next.hasRemaining()) {
            readBuffers++;
        }
        return bytes;
    }

    private void openFile() throws IOException {
        if (file == null) {
            // Made readable for the owner alone: it holds what the guest's device held.
            path = Files.createTempFile("ferry-restore-", ".state");
            file = FileChannel.open(
                    path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
        }
    }

    @Override
    public void close() throws MigrationException {
        inMemory.clear();
        try {
            if (file != null) {
                file.close();
            }
            if (path != null) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw failed("its temporary file " + path + " cannot be deleted: " + e, e);
        }
    }

    private MigrationException failed(String why, Exception cause) {
        return new MigrationException(
                Failure.of(FailureCode.IO_FAILED, device, device + ": its former state cannot be kept: " + why), cause);
    }
}
