// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which users are let in, and which strangers the log was told of, since these may connect as often as they like.
 * Thread-safe.
 */
final class Admission {
    private static final int ROOT_USER = 0;
    /** In a namespace of users one person may be many. */
    private static final int MOST_TOLD = 16;

    private final int ownUser;
    private volatile Set<Integer> others = Set.of();
    private final Set<Integer> told = ConcurrentHashMap.newKeySet();

    /** Lets in root and this process's user. */
    Admission(int ownUser) {
        this.ownUser = ownUser;
    }

    /** Lets these in, too, instead of those before; the log may be told of every stranger again. */
    void admit(Set<Integer> users) {
        others = users;
        told.clear();
    }

    boolean isOpenTo(int user) {
        return user == ROOT_USER || user == ownUser || others.contains(user);
    }

    /** Whether the log is to be told of a stranger: once each, and of so many only, until the next {@link #admit}. */
    boolean isNews(int stranger) {
        return told.size() < MOST_TOLD && told.add(stranger);
    }
}
