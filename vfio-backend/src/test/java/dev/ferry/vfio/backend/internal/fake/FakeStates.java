// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** The migration states of a device, and its session. */
final class FakeStates {
    private static final int NO_FD = -1;

    private final FakeDevice device;
    private FakeSaving saving;
    private FakeResuming resuming;

    FakeStates(FakeDevice device) {
        this.device = device;
    }

    FakeSaving saving() {
        return saving;
    }

    void endSessions() {
        if (saving != null) {
            saving.dead = true;
        }
        if (resuming != null) {
            resuming.dead = true;
        }
        saving = null;
        resuming = null;
    }

    int get(MemorySegment data) {
        data.set(JAVA_INT, 0, device.state);
        data.set(JAVA_INT, 4, NO_FD);
        return 0;
    }

    /** Walks arc by arc; what fails leaves the state that was reached. */
    int set(MemorySegment data) {
        int wanted = data.get(JAVA_INT, 0);
        data.set(JAVA_INT, 4, NO_FD);
        FakeFile opened = null;
        while (device.state != wanted || wanted == 0) {
            int next = NextState.of(device.flags, device.state, wanted);
            int errno = next < 0 ? FakeFile.EINVAL : arcError(device.state, next);
            if (errno != 0) {
                return -errno;
            }
            opened = arc(device.state, next);
            device.steps.add(device.state + "-" + next);
            device.state = next;
        }
        Runnable behind = device.behindSet;
        device.behindSet = () -> {};
        behind.run();
        if (opened != null && device.outOfDescriptors) {
            return -FakeFile.EMFILE;
        }
        if (opened != null && device.takenBack >= 0) {
            data.set(JAVA_INT, 4, device.takenBack);
            return -FakeFile.EFAULT;
        }
        if (opened != null || device.strayDescriptor) {
            data.set(JAVA_INT, 4, device.kernel.install(opened != null ? opened : new FakeSaving(device)));
        }
        return 0;
    }

    private int arcError(int from, int to) {
        Integer errno = device.failing.get(from + "-" + to);
        if (errno != null) {
            if (device.failsToError) {
                endSessions();
                device.state = 0;
            }
            return errno;
        }
        return from == FakeDevice.RESUMING && (resuming == null || !resuming.isComplete()) ? FakeFile.EINVAL : 0;
    }

    private FakeFile arc(int from, int to) {
        boolean wasSaving = isSaving(from);
        if (from == FakeDevice.RESUMING) {
            device.content = resuming.content();
        }
        if (wasSaving && !isSaving(to) || from == FakeDevice.RESUMING) {
            endSessions();
        }
        if (to == FakeDevice.RESUMING) {
            resuming = new FakeResuming(device);
            return resuming;
        }
        if (isSaving(to) && !wasSaving) {
            saving = new FakeSaving(device);
            return saving;
        }
        return null;
    }

    private static boolean isSaving(int state) {
        return state == FakeDevice.STOP_COPY || state >= FakeDevice.PRE_COPY;
    }
}
