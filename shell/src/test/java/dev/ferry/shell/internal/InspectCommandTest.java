// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.stream.RecordDecoder;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordEncoder;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.StreamFormat;
import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {

    private final CommandFixture shell = new CommandFixture();

    @TempDir
    private Path folder;

    private Path file;

    /** Recognizes streams that begin with one byte; finds what it was told, or how many bytes were there to read. */
    private record Format(String name, int begin, Optional<StreamInspection.Fault> fault) implements StreamFormat {
        @Override
        public RecordEncoder encoder(RecordDevice device) {
            throw new UnsupportedOperationException();
        }

        @Override
        public RecordDecoder decoder(RecordDevice device) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean recognizes(ByteBuffer head) {
            return head.hasRemaining() && head.get() == begin;
        }

        @Override
        public StreamInspection inspect(ReadableByteChannel from) throws IOException {
            int size = from.read(ByteBuffer.allocate(100));
            StreamInspection.Part part =
                    new StreamInspection.Part(16, 0x103, "DEVICE_STATUS", 1, 0xFFFF_FFFF_FFFF_FFFFL, 1, "0x0f");
            return new StreamInspection(
                    name,
                    List.of(
                            new StreamInspection.Record(
                                    0, new RecordHeader(size, 0, 0), "DEVICE_DATA", List.of(part)),
                            new StreamInspection.Record(
                                    40, new RecordHeader(-1L, 1, 0xFFFF_FFFF), "unknown", List.of())),
                    fault);
        }
    }

    @BeforeEach
    void writeFile() throws IOException {
        file = Files.write(folder.resolve("vf1.state"), new byte[] {7, 1, 2});
    }

    private int inspect(List<? extends StreamReader> readers, String... options) {
        String[] arguments = new String[options.length + 1];
        System.arraycopy(options, 0, arguments, 0, options.length);
        arguments[options.length] = file.toString();
        return shell.run(new InspectCommand(() -> List.copyOf(readers)), arguments);
    }

    @Test
    void shouldReadTheWholeStreamWithTheFormatThatRecognizesIt() {
        Format other = new Format("other", 1, Optional.empty());
        assertThat(inspect(List.of(other, new Format("seven", 7, Optional.empty())))).isZero();
        assertThat(shell.out()).isEqualTo("""
                format seven: valid, records: 2

                record at 0: DEVICE_DATA, tag 0, flags 0x0 (mandatory), 3 bytes
                  OFFSET  TYPE   NAME           FLAGS  SELECTOR            LENGTH  VALUE
                  16      0x103  DEVICE_STATUS  0x1    0xffffffffffffffff  1       0x0f

                record at 40: unknown, tag 4294967295, flags 0x1 (optional), 18446744073709551615 bytes
                """);
    }

    @Test
    void shouldPrintTheFixedKeysAndTheErrorWhenTheStreamIsMalformed() {
        Format format = new Format("seven", 7, Optional.of(new StreamInspection.Fault(40, "the size is too large")));
        assertThat(inspect(List.of(format), "--json")).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: " + file + " is malformed at byte 40: the size is too large\n");
        assertThat(shell.out()).isEqualTo("""
                {
                  "format": "seven",
                  "valid": false,
                  "records": [
                    {
                      "offset": 0,
                      "size": 3,
                      "flags": 0,
                      "tag": 0,
                      "name": "DEVICE_DATA",
                      "parts": [
                        {
                          "offset": 16,
                          "type": 259,
                          "name": "DEVICE_STATUS",
                          "flags": 1,
                          "selector": 18446744073709551615,
                          "length": 1,
                          "value": "0x0f"
                        }
                      ]
                    },
                    {
                      "offset": 40,
                      "size": 18446744073709551615,
                      "flags": 1,
                      "tag": 4294967295,
                      "name": "unknown",
                      "parts": []
                    }
                  ],
                  "error": {
                    "code": "STREAM_REFUSED",
                    "phase": null,
                    "device": null,
                    "errno": null,
                    "message": "the size is too large",
                    "following": [],
                    "offset": 40
                  }
                }
                """);
    }

    @Test
    void shouldLetTheOnlyFormatSayWhatIsWrongWhenItDoesNotRecognizeTheStream() {
        Format format = new Format("one", 1, Optional.of(new StreamInspection.Fault(0, "not a header")));
        assertThat(inspect(List.of(format))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: " + file + " is malformed at byte 0: not a header\n");
    }

    @Test
    void shouldSayThatNoFormatKnowsItWhenSeveralAreThere() {
        List<? extends StreamReader> readers =
                List.of(new Format("one", 1, Optional.empty()), new Format("two", 2, Optional.empty()));
        assertThat(inspect(readers, "--json")).isEqualTo(1);
        assertThat(shell.out()).isEqualTo("""
                {
                  "format": null,
                  "valid": false,
                  "records": [],
                  "error": {
                    "code": "STREAM_REFUSED",
                    "phase": null,
                    "device": null,
                    "errno": null,
                    "message": "no stream format that is known here begins like this; \
                give a file that `ferry save` wrote",
                    "following": [],
                    "offset": 0
                  }
                }
                """);
    }

    @Test
    void shouldExitWithOneWhenThereIsNoFileOrNoFormat() {
        assertThat(inspect(List.of())).isEqualTo(1);
        assertThat(shell.err()).startsWith("ferry: there is no stream format now;");
        file = folder.resolve("none");
        assertThat(inspect(List.of(new Format("one", 1, Optional.empty())))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: there is no file or folder " + file + "\n");
    }

    @Test
    void shouldRefuseAPipeWithASentence() {
        file = Path.of("/dev/null");
        assertThat(inspect(List.of(new Format("one", 1, Optional.empty())))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo(
                "ferry: cannot use /dev/null: not a regular file; copy its contents to one first\n");
    }
}
