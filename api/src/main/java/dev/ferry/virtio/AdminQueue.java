// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Executes group administration commands of one owner device (PF); a service per owner device.
 *
 * <p>Commands are bytes, as on the administration virtqueue: {@link AdminCommand} says how they lie. Any thread may
 * submit; commands of one queue are processed in the order of submission. Drivers of several bundles may share a queue,
 * and each knows of its own commands only: a queue that has several commands with the device at a time holds LIST_USE
 * back until those before it are answered, and the next ones until LIST_USE is ("Group administration commands", driver
 * requirements).
 *
 * <p>A service object that also implements {@link FunctionReset} can reset its members; one that is a {@link
 * FunctionAccess} reaches their PCI functions; one that is a {@link FunctionDirtyTracking} tells what they write.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Administration
 *     Virtqueues"</a>
 */
@ConsumerType
public interface AdminQueue {

    /** Service property, String, mandatory: unique name of the owner device, for example {@code host1/pf0}. */
    String OWNER_ID = "ferry.owner.id";

    /** Service property, String, mandatory: the host that the owner device is in. */
    String HOST = "ferry.host";

    /**
     * Service property, Integer, mandatory: NumVFs, the members with ids 1 to this number; 0 while VF Enable is clear.
     * May be modified while the service lives.
     */
    String MEMBERS = "ferry.owner.members";

    /** Service property, String, mandatory: type of the members, for example {@code virtio-net}. */
    String MEMBER_TYPE = "ferry.owner.member.type";

    /**
     * Submits one command.
     *
     * <p>The buffers belong to the queue until the stage completes, also when the caller has stopped waiting.
     *
     * @param readable the device-readable part, one or more buffers, each from position to limit; not changed
     * @param writable the device-writable part, one or more buffers, each from position to limit; bytes are put there
     *     from the positions on, positions and limits stay
     * @return completes with the used length: how many bytes of the device-writable part were written, from its start;
     *     completes exceptionally with a {@link dev.ferry.device.DeviceException}: ENODEV when the owner device is
     *     gone, EIO when the queue is broken. May be complete on return
     */
    CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable);
}
