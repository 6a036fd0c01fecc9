// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the devices of one IOMMU group have in common, opened for the first of them and closed behind the last: the
 * kernel gives a group to one owner at a time. Thread-safe; a group that is being closed is not opened meanwhile, and
 * a group that is being opened or closed keeps no other waiting.
 *
 * @param <T> what is shared
 */
final class SharedByGroup<T extends SharedByGroup.Shared> {

    /** Something that is shared. */
    interface Shared {
        /** Closes it behind the last device. */
        void close();
    }

    /** Opens what is shared. */
    @FunctionalInterface
    interface Opener<T> {
        /** Opens it; nothing stays open when that fails. */
        T open() throws DeviceException;
    }

    /** One group; guarded by itself. */
    private static final class Group<T extends Shared> {
        private T shared;
        private int devices;

        synchronized T join(Opener<T> opener) throws DeviceException {
            if (devices == 0) {
                shared = opener.open();
            }
            devices++;
            return shared;
        }

        synchronized void leave() {
            devices--;
            if (devices == 0) {
                shared.close();
                shared = null;
            }
        }
    }

    /** One device's part in what its group shares, given back once however often it is closed. */
    static final class Share<T extends Shared> implements AutoCloseable {
        private final Group<T> group;
        private final T shared;
        private boolean left;

        private Share(Group<T> group, T shared) {
            this.group = group;
            this.shared = shared;
        }

        T get() {
            return shared;
        }

        @Override
        public synchronized void close() {
            if (!left) {
                left = true;
                group.leave();
            }
        }
    }

    /** Kept when nothing of a group is open: a host has few, and numbers them anew from the lowest. */
    private final Map<String, Group<T>> groups = new ConcurrentHashMap<>();

    /** A part in what a group shares, which is opened when nobody has a part in it yet. */
    Share<T> join(String name, Opener<T> opener) throws DeviceException {
        Group<T> group = groups.computeIfAbsent(name, absent -> new Group<>());
        return new Share<>(group, group.join(opener));
    }
}
