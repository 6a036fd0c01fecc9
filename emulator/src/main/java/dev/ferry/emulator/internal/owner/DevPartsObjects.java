// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.DevPartsObject.Operation;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * The device parts objects of one owner device, and the commands about them.
 *
 * <p>Ids are chosen by the driver. There is one id space for the objects of all members, reading and writing ones,
 * since an id is unique within a resource object type. An object belongs to the member it was created for: to any other
 * member it does not exist (ENXIO), although its id is taken (EEXIST). The member id of such a command is valid, so
 * Q_INVALID_MEMBER would be wrong. Guarded by the lock of the owner device.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device resource
 *     objects"</a>
 */
final class DevPartsObjects {

    private record DevParts(long member, Operation operation) {}

    private static final DevPartsCapability NO_LIMITS = new DevPartsCapability(0, 0);

    private final Map<Long, DevParts> objects = new HashMap<>();
    private DevPartsCapability limits = NO_LIMITS;

    /** Objects that live now. */
    int count() {
        return objects.size();
    }

    /** How many objects the driver wants at most; both limits are 0 until it says so. */
    DevPartsCapability limits() {
        return limits;
    }

    /** Takes the driver's limits; no object may live unless they stay the same. */
    void setLimits(DevPartsCapability limits) {
        this.limits = limits;
    }

    /** Destroys all objects and forgets the driver's limits, as a reset of the owner device does. */
    void reset() {
        objects.clear();
        limits = NO_LIMITS;
    }

    /** Destroys all objects of members with larger ids. */
    void destroyAbove(long member) {
        objects.values().removeIf(object -> object.member() > member);
    }

    /**
     * Checks that the object which the data names is of the member and for the purpose.
     *
     * @param data begins with the object header
     * @return OK, or why not
     */
    AdminResult check(long member, ByteBuffer data, Operation purpose) {
        if (!belongs(member, data)) {
            return Refusal.NOT_FOUND;
        }
        return objects.get(id(data)).operation() == purpose ? AdminResult.SUCCESS : Refusal.INVALID_FIELD;
    }

    /** RESOURCE_OBJ_CREATE. */
    AdminResult create(long member, SubmittedCommand submitted) {
        ByteBuffer data = submitted.data(DevPartsObject.CREATE_BYTES);
        if (!isDevParts(data) || !isWellFormed(data)) {
            return Refusal.INVALID_FIELD;
        }
        if (objects.containsKey(id(data))) {
            return Refusal.EXISTS;
        }
        return put(member, data);
    }

    /** RESOURCE_OBJ_MODIFY: the object may change its purpose, but never has both. */
    AdminResult modify(long member, SubmittedCommand submitted) {
        ByteBuffer data = submitted.data(DevPartsObject.CREATE_BYTES);
        if (!belongs(member, data)) {
            return Refusal.NOT_FOUND;
        }
        return isWellFormed(data) ? put(member, data) : Refusal.INVALID_FIELD;
    }

    /** RESOURCE_OBJ_QUERY. */
    AdminResult query(long member, SubmittedCommand submitted) {
        ByteBuffer data = submitted.data(DevPartsObject.OPERATION_OFFSET);
        if (!belongs(member, data)) {
            return Refusal.NOT_FOUND;
        }
        if (data.getLong(DevPartsObject.FLAGS_OFFSET) != 0) {
            return Refusal.INVALID_FIELD;
        }
        Operation operation = objects.get(id(data)).operation();
        submitted.putResult(
                ByteBuffer.allocate(DevPartsObject.QUERY_RESULT_BYTES).put(0, (byte) operation.number()));
        return AdminResult.SUCCESS;
    }

    /** RESOURCE_OBJ_DESTROY. */
    AdminResult destroy(long member, SubmittedCommand submitted) {
        ByteBuffer data = submitted.data(DevPartsObject.HEADER_BYTES);
        if (!belongs(member, data)) {
            return Refusal.NOT_FOUND;
        }
        objects.remove(id(data));
        return AdminResult.SUCCESS;
    }

    /** Limits and objects, for people. */
    @Override
    public String toString() {
        return "driver's " + limits + ", objects " + objects;
    }

    private AdminResult put(long member, ByteBuffer data) {
        Operation operation = Operation.values()[data.get(DevPartsObject.OPERATION_OFFSET)];
        int limit = switch (operation) {
            case GET -> limits.getLimit();
            case SET -> limits.setLimit();
        };
        if (id(data) >= limit) {
            return Refusal.LIMIT_REACHED;
        }
        objects.put(id(data), new DevParts(member, operation));
        return AdminResult.SUCCESS;
    }

    private boolean belongs(long member, ByteBuffer data) {
        DevParts object = objects.get(id(data));
        return isDevParts(data) && object != null && object.member() == member;
    }

    private static boolean isWellFormed(ByteBuffer data) {
        int operation = Byte.toUnsignedInt(data.get(DevPartsObject.OPERATION_OFFSET));
        return data.getLong(DevPartsObject.FLAGS_OFFSET) == 0 && operation < Operation.values().length;
    }

    private static boolean isDevParts(ByteBuffer data) {
        return data.getShort(DevPartsObject.TYPE_OFFSET) == DevPartsObject.TYPE;
    }

    private static long id(ByteBuffer data) {
        return Integer.toUnsignedLong(data.getInt(DevPartsObject.ID_OFFSET));
    }
}
