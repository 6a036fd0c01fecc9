// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.internal.member.MemberDevice;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevMode;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.DevPartsObject.Metadata;
import dev.ferry.virtio.DevPartsObject.Operation;
import dev.ferry.virtio.DevPartsObject.Selection;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The commands that read and write the parts of a member device and set its mode. Guarded by the lock of the owner
 * device.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device parts handling
 *     commands"</a>
 */
final class DevPartsCommands {

    /** How much longer than the device's own parts a SET may be: room for optional parts that it does not know. */
    static final int FOREIGN_PARTS_BYTES = 1 << 20;

    private final MemberGroup members;
    private final DevPartsObjects objects;

    /** What a part is found by. */
    private record Key(int type, long selector) {
        Key(DevicePart part) {
            this(part.type(), part.selector());
        }
    }

    /** Commands for members by means of their objects. */
    DevPartsCommands(MemberGroup members, DevPartsObjects objects) {
        this.members = members;
        this.objects = objects;
    }

    /** DEV_PARTS_METADATA_GET. */
    AdminResult metadata(long member, SubmittedCommand submitted) {
        ByteBuffer data = submitted.data(DevPartsObject.METADATA_GET_BYTES);
        AdminResult check = objects.check(member, data, Operation.GET);
        if (!check.isOk()) {
            return check;
        }
        int type = Byte.toUnsignedInt(data.get(DevPartsObject.SELECTION_OFFSET));
        if (type >= Metadata.values().length) {
            return Refusal.INVALID_FIELD;
        }
        ByteBuffer result = metadata(members.get(member).device(), Metadata.values()[type]);
        if (result.remaining() > submitted.resultSpace()) {
            return Refusal.TOO_SMALL;
        }
        submitted.putResult(result);
        return AdminResult.SUCCESS;
    }

    private static ByteBuffer metadata(MemberDevice device, Metadata type) {
        return switch (type) {
            case SIZE -> metadata(device.maxPartsSize(), List.of());
            case COUNT -> metadata(device.partHeaders().size(), List.of());
            case LIST -> {
                List<DevicePart> headers = device.partHeaders();
                yield metadata(headers.size(), headers);
            }
        };
    }

    private static ByteBuffer metadata(int number, List<DevicePart> headers) {
        int bytes = DevPartsObject.METADATA_RESULT_BYTES + headers.size() * DevicePart.HEADER_BYTES;
        ByteBuffer result = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        result.putInt(0, number).position(DevPartsObject.METADATA_RESULT_BYTES);
        headers.forEach(header -> header.encode(result));
        return result.rewind();
    }

    /** DEV_PARTS_GET; the parts go straight to the driver's memory where it is in one segment. */
    AdminResult get(long member, SubmittedCommand submitted) {
        ByteBuffer data = submitted.data(DevPartsObject.PARTS_GET_BYTES);
        AdminResult check = objects.check(member, data, Operation.GET);
        if (!check.isOk()) {
            return check;
        }
        int type = Byte.toUnsignedInt(data.get(DevPartsObject.SELECTION_OFFSET));
        if (type >= Selection.values().length) {
            return Refusal.INVALID_FIELD;
        }
        MemberDevice device = members.get(member).device();
        List<DevicePart> selected = switch (Selection.values()[type]) {
            case SELECTED -> selected(device.partHeaders(), submitted);
            case ALL -> null;
        };
        ByteBuffer into = submitted.resultBuffer((int) Math.min(device.maxPartsSize(), submitted.resultSpace()));
        if (!device.captureParts(selected, into)) {
            return Refusal.TOO_SMALL;
        }
        submitted.putResultIn(into);
        return AdminResult.SUCCESS;
    }

    /** The parts that the driver wants, of those that exist: the data of a command is bounded by nothing else. */
    private static List<DevicePart> selected(List<DevicePart> existing, SubmittedCommand submitted) {
        Map<Key, DevicePart> wanting = new HashMap<>();
        existing.forEach(part -> wanting.put(new Key(part), part));
        List<DevicePart> selected = new ArrayList<>();
        long end = DevPartsObject.PARTS_GET_BYTES + submitted.dataBytesFrom(DevPartsObject.PARTS_GET_BYTES);
        for (long at = DevPartsObject.PARTS_GET_BYTES; at < end && !wanting.isEmpty(); at += DevicePart.HEADER_BYTES) {
            DevicePart part = wanting.remove(new Key(DevicePart.decode(submitted.data(at, DevicePart.HEADER_BYTES))));
            if (part != null) {
                selected.add(part);
            }
        }
        return selected;
    }

    /** DEV_PARTS_SET; the parts come straight from the driver's memory where they are in one segment. */
    AdminResult set(long member, SubmittedCommand submitted) {
        AdminResult check = objects.check(member, submitted.data(DevPartsObject.HEADER_BYTES), Operation.SET);
        if (!check.isOk()) {
            return check;
        }
        MemberDevice device = members.get(member).device();
        long bytes = submitted.dataBytesFrom(DevPartsObject.HEADER_BYTES);
        if (bytes > (long) device.maxPartsSize() + FOREIGN_PARTS_BYTES) {
            return Refusal.TOO_SMALL;
        }
        ByteBuffer parts = submitted.dataFrom(DevPartsObject.HEADER_BYTES, (int) bytes);
        return device.loadParts(submitted.mayBePadded() ? withoutPadding(parts) : parts);
    }

    /** Parts have any length, so a driver that keeps to whole granules leaves some zeros behind the last one. */
    private static ByteBuffer withoutPadding(ByteBuffer parts) {
        long end = 0;
        while (parts.limit() - end >= DevicePart.HEADER_BYTES) {
            DevicePart header = DevicePart.decode(parts.slice((int) end, DevicePart.HEADER_BYTES));
            end += DevicePart.HEADER_BYTES + header.length();
        }
        long rest = parts.limit() - end;
        if (rest < 0 || rest >= SubmittedCommand.GRANULE_BYTES) {
            return parts;
        }
        for (int at = (int) end; at < parts.limit(); at++) {
            if (parts.get(at) != 0) {
                return parts;
            }
        }
        return parts.slice(0, (int) end).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** DEV_MODE_SET. */
    AdminResult setMode(long member, SubmittedCommand submitted) {
        int flags = Byte.toUnsignedInt(submitted.data(DevMode.BYTES).get(0));
        if ((flags & ~DevMode.FLAG_STOPPED) != 0) {
            return Refusal.INVALID_FIELD;
        }
        boolean done = members.get(member).device().setStopped((flags & DevMode.FLAG_STOPPED) != 0);
        return done ? AdminResult.SUCCESS : Refusal.TRY_AGAIN;
    }
}
