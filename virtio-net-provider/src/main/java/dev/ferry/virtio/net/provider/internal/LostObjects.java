// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.AdminRequest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device parts objects of one owner device that it may still have although their sessions have ended: a DESTROY was
 * refused or not answered, or an object turned up that nobody here created. Their ids stay out of use until the device
 * confirms that they are gone, for which it is asked again whenever a new object is wanted or waited for. Thread-safe.
 */
final class LostObjects {
    private static final Logger LOG = LoggerFactory.getLogger(LostObjects.class);

    private record Lost(int member, int id) {}

    private final AdminChannel channel;
    private final ObjectIds ids;
    private final Deque<Lost> lost = new ArrayDeque<>();

    LostObjects(AdminChannel channel, ObjectIds ids) {
        this.channel = channel;
        this.ids = ids;
    }

    /** An object was lost; its id is in use. */
    synchronized void add(int member, int id) {
        lost.addLast(new Lost(member, id));
    }

    /** Tries to get rid of the object that was lost first; one command at most. */
    void retryOne() {
        Lost oldest;
        synchronized (this) {
            oldest = lost.pollFirst();
        }
        if (oldest != null) {
            retry(oldest);
        }
    }

    /** Tries to get rid of the objects of a member that leaves; stops where the device does not answer. */
    void retryAllOf(int member) {
        Deque<Lost> its = new ArrayDeque<>();
        synchronized (this) {
            for (Iterator<Lost> all = lost.iterator(); all.hasNext(); ) {
                Lost next = all.next();
                if (next.member() == member) {
                    its.add(next);
                    all.remove();
                }
            }
        }
        boolean answered = true;
        while (!its.isEmpty()) {
            Lost next = its.remove();
            if (answered) {
                answered = retry(next);
            } else {
                add(next.member(), next.id());
            }
        }
    }

    private boolean retry(Lost object) {
        try {
            channel.execute(destroy(object.member(), object.id()));
            found(object);
        } catch (AdminCommandException e) {
            if (e.status() == AdminStatus.ENXIO) {
                found(object);
            } else {
                stillLost(object, e);
            }
        } catch (DeviceException e) {
            stillLost(object, e);
            return false;
        }
        return true;
    }

    private void found(Lost object) {
        ids.giveBack(object.id());
        LOG.info("device parts object {} is gone after all; its id is used again", object.id());
    }

    private void stillLost(Lost object, DeviceException e) {
        add(object.member(), object.id());
        LOG.debug("device parts object {} is still not gone", object.id(), e);
    }

    /** RESOURCE_OBJ_DESTROY. */
    static AdminRequest destroy(int member, int id) {
        return AdminRequest.toMember(
                AdminOpcode.RESOURCE_OBJ_DESTROY,
                member,
                DevPartsObject.HEADER_BYTES,
                data -> DevPartsObject.encodeHeader(data, id));
    }
}
