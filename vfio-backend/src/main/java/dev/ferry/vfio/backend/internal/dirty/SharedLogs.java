// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.sys.SameFile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lets several devices record in one container, or in one page table of an iommufd, as if each had a record of its own:
 * the kernel begins with the first and ends with the last, pages that one reports are kept for the others, and when one
 * report fails the others are told that their record is lost, too.
 *
 * <p>Thread-safe. The lock of all is held to look a place up; a request of the kernel's is made under the lock of its
 * place alone.
 */
final class SharedLogs {
    private final List<Recording> recordings = new ArrayList<>();

    /** A place where the kernel records once, and who does so there. Guarded by itself. */
    private static final class Recording {
        /** Those that are this place. Guarded by the lock of all. */
        final List<IommuSpace> spaces = new ArrayList<>();

        /** Those that record now. */
        final List<User> users = new ArrayList<>();
        /** Whether the kernel records, and has kept all since it began. */
        boolean intact;
    }

    /**
     * The log of one device, shared with all whose spaces are the same place for as long as these are open.
     *
     * @param kernel the requests, made through the device's own descriptors
     * @throws DeviceException EOPNOTSUPP when it cannot be told whether another device records in the same place
     */
    synchronized DirtyLog share(IommuSpace space, DirtyLog kernel) throws DeviceException {
        forgetClosed();
        Optional<Recording> present = recordingIn(space);
        Recording recording = present.orElseGet(Recording::new);
        if (present.isEmpty()) {
            recordings.add(recording);
        }
        if (!recording.spaces.contains(space)) {
            recording.spaces.add(space);
        }
        return new User(recording, kernel);
    }

    private void forgetClosed() {
        recordings.forEach(one -> one.spaces.removeIf(IommuSpace::isClosed));
        recordings.removeIf(one -> one.spaces.isEmpty());
    }

    /** To take the unknown for another place would be to clear what the kernel marked for somebody else. */
    private Optional<Recording> recordingIn(IommuSpace space) throws DeviceException {
        boolean unknown = false;
        for (Recording recording : recordings) {
            for (IommuSpace one : recording.spaces) {
                SameFile same = one.recordsWith(space);
                if (same == SameFile.YES) {
                    return Optional.of(recording);
                }
                unknown |= same == SameFile.UNKNOWN;
            }
        }
        if (unknown) {
            throw new DeviceException(Errno.EOPNOTSUPP, "whether another device records in the same place cannot be "
                    + "told: kcmp(2) is forbidden to this process, or unknown to the kernel");
        }
        return Optional.empty();
    }

    private static final class User implements DirtyLog {
        private final Recording recording;
        private final DirtyLog kernel;
        /** Pages that others were told of and this one was not. */
        private final PageNumbers untold = new PageNumbers();

        private boolean lost;

        User(Recording recording, DirtyLog kernel) {
            this.recording = recording;
            this.kernel = kernel;
        }

        @Override
        public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
            synchronized (recording) {
                if (!recording.intact) {
                    kernel.begin(pageSize, ranges);
                    recording.intact = true;
                }
                recording.users.add(this);
                forget();
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
                    throw new DeviceException(
                            Errno.EOVERFLOW, "a report to another device that records in the same place has failed");
                }
                reportOfKernel(range, pageSize, bitmap);
                long first = range.iova() / pageSize;
                for (User user : recording.users) {
                    if (user != this) {
                        user.untold.add(first, bitmap);
                    }
                }
                untold.moveTo(first, range.length() / pageSize, bitmap);
            }
        }

        /** An error leaves nothing to rely on, to nobody, from the moment on in which it came. */
        private void reportOfKernel(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
            boolean done = false;
            try {
                kernel.report(range, pageSize, bitmap);
                done = true;
            } finally {
                if (!done) {
                    recording.intact = false;
                    recording.users.forEach(user -> user.lost = true);
                }
            }
        }

        /** The first whose record is lost begins anew for all: if each did, they would tell each other for ever. */
        @Override
        public void restart(long pageSize, List<IovaRange> ranges) throws DeviceException {
            synchronized (recording) {
                if (!recording.intact) {
                    kernel.restart(pageSize, ranges);
                    recording.intact = true;
                }
                forget();
            }
        }

        @Override
        public void end() throws DeviceException {
            synchronized (recording) {
                recording.users.remove(this);
                untold.clear();
                if (recording.users.isEmpty()) {
                    recording.intact = false;
                    kernel.end();
                }
            }
        }
    }
}
