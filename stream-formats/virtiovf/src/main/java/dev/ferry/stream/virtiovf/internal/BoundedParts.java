// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.stream.StreamInspection.Part;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;

/** Takes a bounded number of parts, because a record type may go on for ever; the next one is refused. */
final class BoundedParts extends AbstractList<Part> {
    private final List<Part> parts = new ArrayList<>();
    private final int most;

    BoundedParts(int most) {
        this.most = most;
    }

    @Override
    public void add(int index, Part part) {
        if (parts.size() >= most) {
            throw new IllegalStateException(StreamInspector.MORE_THAN_LISTED);
        }
        parts.add(index, part);
    }

    @Override
    public Part get(int index) {
        return parts.get(index);
    }

    @Override
    public int size() {
        return parts.size();
    }
}
