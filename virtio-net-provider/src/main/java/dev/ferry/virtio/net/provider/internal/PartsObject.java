// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_SET;
import static dev.ferry.virtio.AdminOpcode.RESOURCE_OBJ_CREATE;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.DevPartsObject.Metadata;
import dev.ferry.virtio.DevPartsObject.Operation;
import dev.ferry.virtio.DevPartsObject.Selection;
import dev.ferry.virtio.GroupType;
import dev.ferry.virtio.driver.KnownSize;
import dev.ferry.virtio.driver.MemberSessions.Purpose;
import dev.ferry.virtio.driver.SessionDevice;
import dev.ferry.virtio.driver.VendorOpcodes;
import dev.ferry.virtio.driver.command.AdminRequest;
import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device parts object of one member, which is the member as a stream format sees it. Lives as long as the session
 * that created it; used inside the driver's gate alone.
 */
final class PartsObject implements SessionDevice {
    private static final Logger LOG = LoggerFactory.getLogger(PartsObject.class);

    private final OwnerDevice owner;
    private final int member;
    private final MemberIds ids;
    private final int id;
    private final PartsQuestions questions;
    private volatile boolean destroyed;

    private final KnownSize size = new KnownSize(this::querySize);

    /** More than the device told, after that turned out to be too little. */
    private long leastSize;

    private PartsObject(OwnerDevice owner, int member, MemberIds ids, int id) {
        this.owner = owner;
        this.member = member;
        this.ids = ids;
        this.id = id;
        this.questions = new PartsQuestions(owner, member, id);
    }

    /**
     * Creates an object. An id under which the device turns out to have an object already, left by an earlier driver,
     * is passed over.
     *
     * @throws DeviceException ENOSPC without a free id; others as the device gives them; no object is left then
     */
    static PartsObject create(OwnerDevice owner, int member, MemberIds ids, Purpose purpose)
            throws DeviceException {
        owner.lost().retryOne();
        while (true) {
            PartsObject object = new PartsObject(owner, member, ids, ids.take());
            try {
                owner.channel().execute(AdminRequest.toMember(
                        RESOURCE_OBJ_CREATE,
                        member,
                        DevPartsObject.CREATE_BYTES,
                        data -> DevPartsObject.encodeCreate(data, object.id, operation(purpose))));
                return object;
            } catch (AdminCommandException e) {
                if (e.status() != AdminStatus.EEXIST) {
                    ids.giveBack(object.id);
                    throw e;
                }
                LOG.warn("{} has a device parts object {} from before; another id is used", owner.id(), object.id);
                object.lose();
            } catch (DeviceException e) {
                object.end(); // Without an answer the object may exist; behind it in the queue this removes it.
                throw e;
            }
        }
    }

    private static Operation operation(Purpose purpose) {
        return switch (purpose) {
            case SAVING -> Operation.GET;
            case RESUMING -> Operation.SET;
        };
    }

    /**
     * Destroys the object and gives its id back. When the device does not confirm that, the id stays out of use, as a
     * second object under it would be refused, and the device is asked again on later occasions.
     */
    @Override
    public void end() {
        if (destroyed) {
            return;
        }
        destroyed = true;
        try {
            owner.channel().execute(LostObjects.destroy(member, id));
            ids.giveBack(id);
        } catch (AdminCommandException e) {
            if (e.status() == AdminStatus.ENXIO) {
                ids.giveBack(id);
            } else {
                lose(e);
            }
        } catch (DeviceException e) {
            lose(e);
        }
    }

    private void lose(DeviceException e) {
        LOG.warn("device parts object {} of {} may be left, its id is not used for now: {}",
                id, owner.id(), e.getMessage());
        lose();
    }

    private void lose() {
        ids.lose(id);
        owner.lost().add(member, id);
    }

    @Override
    public long imageSize() throws DeviceException {
        requireAlive();
        return Math.max(leastSize, size.take());
    }

    @Override
    public long refreshSize() throws DeviceException {
        requireAlive();
        return size.refresh();
    }

    @Override
    public void forgetSize() {
        size.forget();
    }

    private long querySize() throws DeviceException {
        long size = questions.number(Metadata.SIZE);
        if (size == 0) {
            throw new DeviceException(Errno.EINVAL, describe() + " says that its device parts take 0 bytes");
        }
        return size;
    }

    /** What else can be asked of it; while it is there. */
    PartsQuestions questions() throws DeviceException {
        requireAlive();
        return questions;
    }

    @Override
    public void captureImage(ByteBuffer into) throws DeviceException {
        requireAlive();
        int space = into.remaining();
        try {
            capture(into);
            leastSize = 0;
        } catch (DeviceException e) {
            boolean tooSmall = e.errno() == Errno.ENOMEM || e.errno() == Errno.EOVERFLOW;
            leastSize = tooSmall ? 2L * space : 0;
            throw e;
        }
    }

    private void capture(ByteBuffer into) throws DeviceException {
        int length = owner.channel().execute(AdminRequest.toMember(
                DEV_PARTS_GET,
                member,
                DevPartsObject.PARTS_GET_BYTES,
                data -> DevPartsObject.encodePartsGet(data, id, Selection.ALL),
                into));
        if (length == 0) {
            throw new DeviceException(Errno.EINVAL, describe() + " gave no device parts");
        }
        questions.advance(into, length);
    }

    @Override
    public boolean wantsMoreSpace() {
        return leastSize > 0;
    }

    @Override
    public void loadImage(ByteBuffer parts) throws DeviceException {
        requireAlive();
        PartsOrder.require(parts);
        AdminRequest set = AdminRequest.toMember(DEV_PARTS_SET, member, DevPartsObject.HEADER_BYTES, this::putHeader);
        try {
            owner.channel().execute(set.with(parts));
        } catch (AdminCommandException e) {
            // The text demands whole units of 8 bytes. A device that takes the zeros for a part that is cut off has
            // changed nothing, and is given the bare parts, as the kernel does it.
            if (e.status() != AdminStatus.EINVAL || parts.remaining() % AdminRequest.UNIT_BYTES == 0) {
                throw e;
            }
            loadUnpadded(set.withExactly(parts), e);
        }
    }

    private void loadUnpadded(AdminRequest set, AdminCommandException first) throws DeviceException {
        try {
            owner.channel().execute(set);
        } catch (AdminCommandException e) {
            first.addSuppressed(e);
            throw first;
        }
    }

    @Override
    public void execute(int opcode, ByteBuffer data, ByteBuffer result) throws DeviceException {
        requireAlive();
        if (!owner.takesVendorOpcode(opcode)) {
            throw VendorOpcodes.notInUse(opcode, ProviderConfiguration.PID, describe());
        }
        AdminCommand command = new AdminCommand(opcode, GroupType.SR_IOV.number(), member);
        ByteBuffer header = ByteBuffer.allocate(AdminCommand.HEADER_BYTES);
        command.encode(header);
        AdminRequest request = new AdminRequest(command, new ByteBuffer[] {header.flip()}, result);
        questions.advance(result, owner.channel().execute(request.with(data)));
    }

    private void putHeader(ByteBuffer data) {
        DevPartsObject.encodeHeader(data, id);
    }

    private void requireAlive() throws DeviceException {
        if (destroyed) {
            throw new DeviceException(Errno.ENODEV, "the session with " + describe() + " has ended");
        }
    }

    private String describe() {
        return questions.describe();
    }
}
