// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.legacy.LegacyIo;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The services: one per member that has both a migration driver and an owner device with the commands.
 *
 * <p>The driver is what tells that somebody has put commands of the owner device in use, and is finished with that. So
 * no command of ours is sent before LIST_USE, and none is pending during a later one: when the driver leaves, the
 * service is gone and its last access over before the driver's unregistration returns (virtio 1.4, driver requirements
 * of group administration commands).
 *
 * <p>Thread-safe. Members are opened on the executor; everything else happens on the caller's thread, and is over when
 * the call returns.
 */
final class Offers {
    private static final Logger LOG = LoggerFactory.getLogger(Offers.class);

    /** Publishes a service; what it gives withdraws it. */
    interface Registry {
        Runnable register(LegacyIo service, Map<String, Object> properties);
    }

    /** What is offered for a member, or will be once it is open. */
    private static final class Offer {
        private final Owner owner;
        private final MemberLegacyIo io;
        private Runnable unregister = () -> {};

        Offer(Owner owner, MemberLegacyIo io) {
            this.owner = owner;
            this.io = io;
        }
    }

    private final Registry registry;
    private final Executor executor;
    private final CommandTimeout timeout;

    /** Reentrant: a listener of a registration may make an owner leave on the same thread. Guards all below. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Map<String, Owner> owners = new HashMap<>();
    /** Service ids of the drivers of a member: while one is replaced there may be two. */
    private final Map<Member, Set<Object>> drivers = new HashMap<>();

    private final Map<Member, Offer> offers = new HashMap<>();
    private boolean closed;

    Offers(Registry registry, Executor executor, CommandTimeout timeout) {
        this.registry = registry;
        this.executor = executor;
        this.timeout = timeout;
    }

    /** An owner device is there; ignored when another one has its id. */
    void add(Owner owner) {
        lock.lock();
        try {
            if (owners.putIfAbsent(owner.id(), owner) != null) {
                LOG.warn("there are two admin queues of {}; the second one is not used", owner.id());
                return;
            }
            List.copyOf(drivers.keySet()).forEach(this::offer);
        } finally {
            lock.unlock();
        }
    }

    /** An owner device leaves, while it still works. */
    void remove(Owner owner) {
        lock.lock();
        try {
            if (owners.remove(owner.id(), owner)) {
                List<Member> leaving = new ArrayList<>();
                offers.forEach((member, offer) -> {
                    if (offer.owner == owner) {
                        leaving.add(member);
                    }
                });
                leaving.forEach(this::withdraw);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A member can be used. */
    void addDriver(Object serviceId, Member member) {
        lock.lock();
        try {
            drivers.computeIfAbsent(member, any -> new HashSet<>()).add(serviceId);
            offer(member);
        } finally {
            lock.unlock();
        }
    }

    /** A member can be used no longer. */
    void removeDriver(Object serviceId, Member member) {
        lock.lock();
        try {
            Set<Object> left = drivers.get(member);
            if (left != null && left.remove(serviceId) && left.isEmpty()) {
                drivers.remove(member);
                withdraw(member);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Withdraws everything, for good. */
    void close() {
        lock.lock();
        try {
            closed = true;
            owners.clear();
            drivers.clear();
            List.copyOf(offers.keySet()).forEach(this::withdraw);
        } finally {
            lock.unlock();
        }
    }

    private void offer(Member member) {
        Owner owner = owners.get(member.ownerId());
        if (closed || owner == null || offers.containsKey(member)) {
            return;
        }
        Offer offer = new Offer(owner, new MemberLegacyIo(owner, member.number(), member.deviceId()));
        offers.put(member, offer);
        executor.execute(() -> open(member, offer));
    }

    private void open(Member member, Offer offer) {
        try {
            offer.io.open();
        } catch (DeviceException e) {
            report(member, e);
            return;
        } catch (RuntimeException e) { // on a thread that nobody waits for; the function is another bundle's
            LOG.error("{} could not be opened", member.deviceId(), e);
            return;
        }
        lock.lock();
        try {
            if (offers.get(member) == offer) {
                offer.unregister = registry.register(offer.io, member.properties());
                if (offers.get(member) != offer) { // a listener made it leave
                    offer.unregister.run();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private static void report(Member member, DeviceException failure) {
        if (failure.errno() == Errno.EOPNOTSUPP) {
            LOG.debug("{} has no legacy interface: {}", member.deviceId(), failure.getMessage());
        } else if (failure.errno() == Errno.ENODEV) {
            LOG.debug("{} has left: {}", member.deviceId(), failure.getMessage());
        } else {
            LOG.warn("legacy guests cannot use {}: {}", member.deviceId(), failure.getMessage());
        }
    }

    private void withdraw(Member member) {
        Offer offer = offers.remove(member);
        if (offer == null) {
            return;
        }
        try {
            offer.unregister.run();
        } finally {
            if (!offer.io.close(timeout.nanos())) {
                LOG.warn("an access to {} is still waiting for its owner device", member.deviceId());
            }
        }
    }
}
