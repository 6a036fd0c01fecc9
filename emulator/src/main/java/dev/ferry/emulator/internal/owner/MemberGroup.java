// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;

/**
 * The SR-IOV group: members with ids 1 to their number. Thread-safe for reading; one thread at a time may resize.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device groups"</a>
 */
final class MemberGroup {

    /** Bound for the interrupts on their way of all members that are removed together. */
    static final Duration SENDERS_TIMEOUT = Duration.ofSeconds(2);

    private final IntFunction<Member> factory;
    private final LongSupplier nanoTime;
    /** Replaced as a whole, so that readers need no lock. */
    private volatile Member[] members = {};
    /** VF Enable. */
    private volatile boolean enabled;

    /** An empty group; the factory makes the member of an id. */
    MemberGroup(IntFunction<Member> factory) {
        this(factory, System::nanoTime);
    }

    /** With another clock than {@link System#nanoTime}. */
    MemberGroup(IntFunction<Member> factory, LongSupplier nanoTime) {
        this.factory = factory;
        this.nanoTime = nanoTime;
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

    /** One member, where it is there. */
    Optional<Member> find(long id) {
        Member[] now = members;
        return id < 1 || id > now.length ? Optional.empty() : Optional.of(now[(int) id - 1]);
    }

    /** Adds members at the end or removes the last ones; the others are not touched. */
    void resize(int count) {
        Member[] before = members;
        Member[] after = Arrays.copyOf(before, count);
        for (int index = before.length; index < count; index++) {
            after[index] = factory.apply(index + 1);
        }
        members = after;
        if (count < before.length) {
            remove(List.of(before).subList(count, before.length));
        }
    }

    /** All are pulled out before the first one is waited for: the wait is bounded however many they are. */
    private void remove(List<Member> removed) {
        removed.forEach(member -> member.device().pullOut());
        long end = nanoTime.getAsLong() + SENDERS_TIMEOUT.toNanos();
        for (Member member : removed) {
            long left = Math.max(end - nanoTime.getAsLong(), 0);
            member.device().awaitSenders(Duration.ofNanos(left));
        }
    }
}
