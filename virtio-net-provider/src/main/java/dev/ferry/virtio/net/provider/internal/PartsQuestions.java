// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_METADATA_GET;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.DevPartsObject.Metadata;
import dev.ferry.virtio.DevPartsObject.Selection;
import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.driver.command.AdminRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a device tells of the parts of one member: how many they are and how large, which, and the values of some. Asked
 * of a device parts object that is there, inside the driver's gate alone.
 */
final class PartsQuestions {

    /** The most parts of one device that are believed: two for each of 65535 queues, and as many again. */
    private static final int MOST_PARTS = 4 * 65_536;

    /** How often a list that does not fit is asked for, with twice the space each time. */
    private static final int MOST_LISTS = 3;

    private final OwnerDevice owner;
    private final int member;
    private final int id;

    /** Asks the object of this id. */
    PartsQuestions(OwnerDevice owner, int member, int id) {
        this.owner = owner;
        this.member = member;
        this.id = id;
    }

    /** DEV_PARTS_METADATA_GET of what is one number, 0 to 2^32 - 1. */
    long number(Metadata what) throws DeviceException {
        return number(owner.channel().read(metadataGet(what, DevPartsObject.METADATA_RESULT_BYTES)));
    }

    private static long number(ByteBuffer result) {
        return Integer.toUnsignedLong(result.getInt(0));
    }

    /**
     * DEV_PARTS_METADATA_GET of the headers of all parts, after one of their number.
     *
     * @throws DeviceException EINVAL when there are none, too many or fewer than the list says; others as the device
     *     gives them
     */
    List<DevicePart> list() throws DeviceException {
        int space = believable(number(Metadata.COUNT));
        for (int attempt = 1; ; attempt++) {
            try {
                return list(space);
            } catch (AdminCommandException e) {
                if (e.status() != AdminStatus.ENOMEM || attempt == MOST_LISTS) {
                    throw e;
                }
                space = 2 * space;
            }
        }
    }

    private int believable(long count) throws DeviceException {
        if (count == 0 || count > MOST_PARTS) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "%s says that it has %d device parts, where 1 to %d make sense"
                            .formatted(describe(), count, MOST_PARTS));
        }
        return (int) count;
    }

    private List<DevicePart> list(int space) throws DeviceException {
        AdminRequest get = metadataGet(
                Metadata.LIST, DevPartsObject.METADATA_RESULT_BYTES + space * DevicePart.HEADER_BYTES);
        int length = owner.channel().execute(get);
        ByteBuffer result = get.result();
        int count = believable(number(result));
        int given = (Math.min(length, result.limit()) - DevPartsObject.METADATA_RESULT_BYTES) / DevicePart.HEADER_BYTES;
        if (given < count) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "%s lists %d device parts and gives the headers of %d: its list is cut off; check the owner device"
                            .formatted(describe(), count, given));
        }
        List<DevicePart> headers = new ArrayList<>(count);
        result.position(DevPartsObject.METADATA_RESULT_BYTES);
        for (int part = 0; part < count; part++) {
            headers.add(DevicePart.decode(result));
        }
        return headers;
    }

    private AdminRequest metadataGet(Metadata what, int bytes) {
        return AdminRequest.toMember(
                DEV_PARTS_METADATA_GET,
                member,
                DevPartsObject.METADATA_GET_BYTES,
                data -> DevPartsObject.encodeMetadataGet(data, id, what),
                AdminRequest.space(bytes));
    }

    /**
     * DEV_PARTS_GET of some parts. Virtio lets a device leave out what it does not have, or what is invalid in it; of
     * a part that it has just listed neither is true, and whoever asks for it would take silence for absence.
     *
     * @param headers what to give, as the device listed it
     * @return each of them, and whatever the device gave besides
     * @throws DeviceException EINVAL when one is missing or is not as it was listed; others as the device gives them
     */
    List<DevicePart.Located> select(List<DevicePart> headers) throws DeviceException {
        int bytes = 0;
        ByteBuffer wanted = ByteBuffer.allocate(headers.size() * DevicePart.HEADER_BYTES);
        for (DevicePart header : headers) {
            header.encode(wanted);
            bytes += DevicePart.HEADER_BYTES + (int) header.length();
        }
        ByteBuffer result = AdminRequest.space(bytes);
        advance(result, owner.channel().execute(AdminRequest.toMember(
                        DEV_PARTS_GET,
                        member,
                        DevPartsObject.PARTS_GET_BYTES,
                        data -> DevPartsObject.encodePartsGet(data, id, Selection.SELECTED),
                        result)
                .with(wanted.flip())));
        List<DevicePart.Located> parts = DevicePart.readAll(result.flip());
        requireAll(headers, parts);
        return parts;
    }

    private void requireAll(List<DevicePart> headers, List<DevicePart.Located> parts) throws DeviceException {
        Set<DevicePart> missing = new LinkedHashSet<>(headers);
        parts.forEach(part -> missing.remove(part.header()));
        if (!missing.isEmpty()) {
            String first = PartTraits.name(missing.iterator().next());
            throw new DeviceException(
                    Errno.EINVAL,
                    "%s did not give %d of %d device parts that it lists, the first %s"
                            .formatted(describe(), missing.size(), headers.size(), first));
        }
    }

    /** What the device wrote behind the space it was given is cut off, and nobody can tell what is missing. */
    void advance(ByteBuffer into, int length) throws DeviceException {
        if (length > into.remaining()) {
            throw new DeviceException(
                    Errno.EOVERFLOW,
                    "%s wrote %d bytes into space for %d".formatted(describe(), length, into.remaining()));
        }
        into.position(into.position() + length);
    }

    /** The member, for messages. */
    String describe() {
        return "member %d of %s".formatted(member, owner.id());
    }
}
