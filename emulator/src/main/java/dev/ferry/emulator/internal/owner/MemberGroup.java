// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * The SR-IOV group: members with ids 1 to their number. Thread-safe for reading; one thread at a time may resize.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device groups"</a>
 */
final class MemberGroup {

    private final IntFunction<Member> factory;
    /** Replaced as a whole, so that readers need no lock. */
    private volatile Member[] members = {};
    /** VF Enable. */
    private volatile boolean enabled;

    /** An empty group; the factory makes the member of an id. */
    MemberGroup(IntFunction<Member> factory) {
        this.factory = factory;
    }

    /** Whether VF Enable is set, so that by the text there is a group, perhaps with no members. */
    boolean isEnabled() {
        return enabled;
    }

    /** Sets or clears VF Enable. */
    void setEnabled(boolean enabled) {
        this.enabled = enabled;
    }

    /** Brings every member to ACTIVE, and drops what is on its way of its context. */
    void resetContexts() {
        for (Member member : members) {
            member.device().context().ownerReset();
        }
    }

    /** Sets every member to work that is stopped. */
    void resumeAll() {
        for (Member member : members) {
            if (member.device().isStopped()) {
                member.device().setStopped(false);
            }
        }
    }

    /** Number of members, and the largest id. */
    int count() {
        return members.length;
    }

    /** Whether there is such a member; ids are unsigned. */
    boolean contains(long id) {
        return id >= 1 && id <= members.length;
    }

    /**
     * One member.
     *
     * @throws IllegalArgumentException for no such member
     */
    Member get(long id) {
        Member[] now = members;
        if (id < 1 || id > now.length) {
            throw new IllegalArgumentException("there is no member %d, only 1 to %d".formatted(id, now.length));
        }
        return now[(int) id - 1];
    }

    /** Adds members at the end or removes the last ones; the others are not touched. */
    void resize(int count) {
        Member[] before = members;
        Member[] after = Arrays.copyOf(before, count);
        for (int index = before.length; index < count; index++) {
            after[index] = factory.apply(index + 1);
        }
        members = after;
        for (int index = count; index < before.length; index++) {
            before[index].device().remove();
        }
    }
}
