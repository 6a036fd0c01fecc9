// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lets several devices record in one container, or in one page table of an iommufd, as if each had a record of its own:
 * the kernel begins with the first and ends with the last, pages that one reports are kept for the others, and when one
 * begins anew the others are told that their record is lost, too.
 *
 * <p>Thread-safe. The lock of all goes before the lock of one record; who only reports takes the latter alone.
 */
final class SharedLogs {
    private final List<Recording> recordings = new ArrayList<>();

    /** What the kernel records once, and who uses it. Guarded by itself. */
    private static final class Recording {
        final List<User> users = new ArrayList<>();
        boolean running;
    }

    /**
     * The log of one device, to be shared with whoever records in the same space at that time.
     *
     * @param kernel the requests, made through the device's own descriptors
     */
    DirtyLog share(IommuSpace space, DirtyLog kernel) {
        return new User(space, kernel);
    }

    private Optional<Recording> recordingIn(IommuSpace space) {
        return recordings.stream()
                .filter(one -> one.users.stream().anyMatch(user -> user.space.recordsWith(space)))
                .findFirst();
    }

    private final class User implements DirtyLog {
        private final IommuSpace space;
        private final DirtyLog kernel;
        /** Pages that others were told of and this one was not. */
        private final PageNumbers untold = new PageNumbers();

        private boolean lost;
        private Recording recording;

        User(IommuSpace space, DirtyLog kernel) {
            this.space = space;
            this.kernel = kernel;
        }

        @Override
        public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
            synchronized (SharedLogs.this) {
                Optional<Recording> present = recordingIn(space);
                Recording joined = present.orElseGet(Recording::new);
                synchronized (joined) {
                    if (!joined.running) {
                        kernel.begin(pageSize, ranges);
                        joined.running = true;
                    }
                    joined.users.add(this);
                    recording = joined;
                    forget();
                }
                if (present.isEmpty()) {
                    recordings.add(joined);
                }
            }
        }

        private void forget() {
            lost = false;
            untold.clear();
        }

        @Override
        public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
            synchronized (recording) {
                if (lost) {
                    throw new DeviceException(Errno.EOVERFLOW,
                            "another device that records in the same place has begun anew");
                }
                kernel.report(range, pageSize, bitmap);
                long first = range.iova() / pageSize;
                for (User user : recording.users) {
                    if (user != this) {
                        user.untold.add(first, bitmap);
                    }
                }
                untold.moveTo(first, range.length() / pageSize, bitmap);
            }
        }

        /** Who was told of another's new beginning has nothing to begin: the two would tell each other for ever. */
        @Override
        public void restart(long pageSize, List<IovaRange> ranges) throws DeviceException {
            synchronized (recording) {
                if (!lost || !recording.running) {
                    recording.users.forEach(user -> user.lost = true);
                    recording.running = false;
                    kernel.restart(pageSize, ranges);
                    recording.running = true;
                }
                forget();
            }
        }

        @Override
        public void end() throws DeviceException {
            synchronized (SharedLogs.this) {
                if (recording != null) {
                    leave(recording);
                    recording = null;
                }
                if (recordingIn(space).isEmpty()) {
                    kernel.end();
                }
            }
        }

        private void leave(Recording left) {
            synchronized (left) {
                left.users.remove(this);
                untold.clear();
                if (left.users.isEmpty()) {
                    recordings.remove(left);
                }
            }
        }
    }
}
