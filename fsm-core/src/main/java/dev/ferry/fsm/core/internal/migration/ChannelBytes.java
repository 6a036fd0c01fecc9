// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A channel of the caller of save or restore, as a source or a sink of bytes. */
final class ChannelBytes {

    private ChannelBytes() {}

    /** Reads a blocking channel to its end. */
    static ByteSource from(ReadableByteChannel channel) {
        return into -> {
            int bytes;
            try {
                bytes = channel.read(into);
            } catch (IOException | RuntimeException e) {
                throw failed("The saved state cannot be read: " + why(e), e);
            }
            if (bytes == 0) {
                throw failed("The channel to read from gave no bytes: it must be in blocking mode.", null);
            }
            return bytes;
        };
    }

    /** Writes to a blocking channel. */
    static ByteSink to(WritableByteChannel channel) {
        return from -> {
            while (from.hasRemaining()) {
                int bytes;
                try {
                    bytes = channel.write(from);
                } catch (IOException | RuntimeException e) {
                    throw failed("The state cannot be written: " + why(e), e);
                }
                if (bytes <= 0) {
                    throw failed("The channel to write to took no bytes: it must be in blocking mode.", null);
                }
            }
        };
    }

    /** Of channels that were closed by somebody only the name of the exception says so. */
    private static String why(Exception e) {
        if (e instanceof ClosedByInterruptException) {
            return "the calling thread was interrupted.";
        }
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private static MigrationException failed(String message, Exception cause) {
        return new MigrationException(Failure.of(FailureCode.IO_FAILED, message), cause);
    }
}
