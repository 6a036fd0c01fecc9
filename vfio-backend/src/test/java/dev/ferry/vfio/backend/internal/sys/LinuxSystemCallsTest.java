// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The seam itself, on the kernel that the tests run on. */
class LinuxSystemCallsTest {
    private static final int O_RDWR_CLOEXEC = 0x80002;
    private static final int SPARE = 32;
    private static final int EPERM = 1;
    private static final int ENOENT = 2;
    private static final int EBADF = 9;
    private static final int EFAULT = 14;
    private static final int ENOTTY = 25;
    private static final int ESPIPE = 29;
    private static final int ENOSYS = 38;

    private final LinuxSystemCalls calls = new LinuxSystemCalls();
    private final Arena arena = Arena.ofConfined();

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        arena.close();
    }

    /**
     * Opens a file under a number that nobody else gets once it is closed: the compiler's threads, too, open files, and
     * get the least numbers that are free.
     */
    private int openAbove(String path) {
        int[] below = new int[SPARE];
        Arrays.setAll(below, spare -> calls.open("/dev/null", O_RDWR_CLOEXEC));
        int fd = calls.open(path, O_RDWR_CLOEXEC);
        Arrays.stream(below).forEach(calls::close);
        return fd;
    }

    private MemorySegment bytes(String text) {
        return arena.allocateFrom(text, StandardCharsets.US_ASCII).asSlice(0, text.length());
    }

    @Test
    void shouldReadAndWriteAFile() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "0123456789");
        int fd = openAbove(file.toString());
        assertThat(fd).isGreaterThanOrEqualTo(0);
        MemorySegment buffer = arena.allocate(4);

        assertThat(calls.read(fd, buffer)).isEqualTo(4);
        assertThat(buffer.toArray(JAVA_BYTE)).asString().isEqualTo("0123");
        assertThat(calls.pread(fd, buffer, 8)).isEqualTo(2);
        assertThat(calls.write(fd, bytes("ab"))).isEqualTo(2);
        assertThat(calls.pwrite(fd, bytes("z"), 0)).isEqualTo(1);
        assertThat(file).hasContent("z123ab6789");
        assertThat(calls.close(fd)).isZero();
        assertThat(calls.close(fd)).isEqualTo(-EBADF);
    }

    @Test
    void shouldCloseDescriptorsOnExec() throws Exception {
        int fd = calls.open("/dev/null", O_RDWR_CLOEXEC);
        String flags = Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd)).stream()
                .filter(line -> line.startsWith("flags:"))
                .findFirst()
                .orElseThrow();
        calls.close(fd);

        assertThat(Long.parseLong(flags.replaceAll("\\D", ""), 8) & O_RDWR_CLOEXEC).isEqualTo(O_RDWR_CLOEXEC);
    }

    /** Some containers forbid kcmp (EPERM), some kernels lack it (ENOSYS): then no answer is another. */
    @Test
    void shouldTellOneOpenFileFromAnother() {
        int first = calls.open("/dev/null", O_RDWR_CLOEXEC);
        int second = openAbove("/dev/null");

        int same = calls.kcmp(first, first);
        assertThat(same).isIn(0, -EPERM, -ENOSYS);
        assertThat(calls.kcmp(first, second)).isIn(same == 0 ? List.of(1, 2) : List.of(same));
        calls.close(second);
        assertThat(calls.kcmp(first, second)).isEqualTo(same == 0 ? -EBADF : same);
        calls.close(first);
    }

    @Test
    void shouldGiveTheNegatedErrorNumber() {
        assertThat(calls.open("/no/such/file", O_RDWR_CLOEXEC)).isEqualTo(-ENOENT);
        assertThat(calls.ioctl(-1, 0x3B75, MemorySegment.NULL)).isEqualTo(-EBADF);
        int fd = calls.open("/dev/null", O_RDWR_CLOEXEC);
        assertThat(calls.ioctl(fd, 0x3B75, arena.allocate(64))).isEqualTo(-ENOTTY);
        assertThat(calls.ioctl(fd, 0x3B64, 0)).isEqualTo(-ENOTTY);
        assertThat(calls.write(fd, MemorySegment.NULL)).isZero();
        calls.close(fd);
        assertThat(calls.poll(MemorySegment.NULL, 1, 0)).isEqualTo(-EFAULT);
    }

    @Test
    void shouldPassOpenArgumentsWhereAVariadicFunctionLooksForThem() throws Exception {
        // FIONREAD of a file: its bytes from here to the end, stored through the pointer.
        Path file = Files.writeString(folder.resolve("file"), "0123456789");
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        MemorySegment count = arena.allocate(JAVA_INT);

        assertThat(calls.ioctl(fd, 0x541B, count)).isZero();

        assertThat(count.get(JAVA_INT, 0)).isEqualTo(10);
        calls.close(fd);
    }

    @Test
    void shouldPollWithinATimeLimit() {
        int fd = calls.socket(1, 5 | 0x80000, 0);
        int ready = calls.open("/dev/zero", O_RDWR_CLOEXEC);
        assertThat(calls.listen(fd, 1)).isNegative();
        MemorySegment polled = arena.allocate(16, 8);
        polled.set(JAVA_INT, 0, ready);
        polled.set(JAVA_SHORT, 4, (short) 1);
        polled.set(JAVA_INT, 8, -1);

        assertThat(calls.poll(polled, 2, 1_000)).isEqualTo(1);
        assertThat(polled.get(JAVA_SHORT, 6)).isEqualTo((short) 1);
        assertThat(calls.poll(polled.asSlice(8), 1, 10)).isZero();
        assertThat(calls.pread(fd, arena.allocate(1), 0)).isEqualTo(-ESPIPE);
        calls.close(fd);
        calls.close(ready);
    }

    @Test
    void shouldKnowTheProcess() throws Exception {
        assertThat(calls.pageSize()).isGreaterThanOrEqualTo(4096);
        assertThat(calls.effectiveUser()).isEqualTo(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }

    @Test
    void shouldKeepErrorNumbersOfThreadsApart() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Boolean>> runs = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                boolean bad = i % 2 == 0;
                runs.add(threads.submit(() -> {
                    for (int k = 0; k < 20_000; k++) {
                        int result = bad ? calls.close(-1) : calls.open("/no/such/file", O_RDWR_CLOEXEC);
                        if (result != (bad ? -EBADF : -ENOENT)) {
                            return false;
                        }
                    }
                    return true;
                }));
            }
            for (Future<Boolean> run : runs) {
                assertThat(run.get()).isTrue();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void shouldCloseADescriptorBehindItsLastUse() {
        int fd = openAbove("/dev/null");
        Descriptor descriptor = new Descriptor(calls, fd);

        long during = descriptor.use(open -> {
            descriptor.close();
            return calls.write(open, bytes("x"));
        });

        assertThat(during).isEqualTo(1);
        assertThat(calls.write(fd, bytes("x"))).isEqualTo(-EBADF);
        assertThat(descriptor.use(open -> 0)).isEqualTo(-19);
        descriptor.close();
        assertThatIllegalArgumentException().isThrownBy(() -> new Descriptor(calls, -1));
    }
}
