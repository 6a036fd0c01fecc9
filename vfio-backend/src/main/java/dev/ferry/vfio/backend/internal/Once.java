// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import java.util.function.Supplier;

/** Makes something when it is first asked for, and gives the same ever after. Thread-safe. */
final class Once<T> implements Supplier<T> {
    private final Supplier<? extends T> maker;
    private T made;

    private Once(Supplier<? extends T> maker) {
        this.maker = maker;
    }

    static <T> Supplier<T> of(Supplier<? extends T> maker) {
        return new Once<>(maker);
    }

    @Override
    public synchronized T get() {
        if (made == null) {
            made = maker.get();
        }
        return made;
    }
}
