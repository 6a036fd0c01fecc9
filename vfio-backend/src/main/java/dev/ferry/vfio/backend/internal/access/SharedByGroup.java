// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import java.util.HashMap;
import java.util.Map;

/**
 * What the devices of one IOMMU group have in common, opened for the first of them and closed behind the last: the
 * kernel gives a group to one owner at a time. Thread-safe; a group that is being closed is not opened meanwhile.
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

    /** One device's part in what its group shares, given back once however often it is closed. */
    final class Share implements AutoCloseable {
        private final String group;
        private final T shared;
        private boolean left;

        private Share(String group, T shared) {
            this.group = group;
            this.shared = shared;
        }

        T get() {
            return shared;
        }

        @Override
        public void close() {
            synchronized (SharedByGroup.this) {
                if (!left) {
                    left = true;
                    leave(group, shared);
                }
            }
        }
    }

    private final Map<String, T> open = new HashMap<>();
    private final Map<String, Integer> devices = new HashMap<>();

    /** A part in what a group shares, which is opened when nobody has a part in it yet. */
    synchronized Share join(String group, Opener<T> opener) throws DeviceException {
        T shared = open.get(group);
        if (shared == null) {
            shared = opener.open();
            open.put(group, shared);
        }
        devices.merge(group, 1, Integer::sum);
        return new Share(group, shared);
    }

    private void leave(String group, T shared) {
        if (devices.merge(group, -1, Integer::sum) == 0) {
            devices.remove(group);
            open.remove(group);
            shared.close();
        }
    }
}
