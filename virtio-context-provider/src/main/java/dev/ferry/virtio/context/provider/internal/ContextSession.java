// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.StreamException;
import dev.ferry.virtio.context.ContextField;
import dev.ferry.virtio.context.ContextFieldType;
import dev.ferry.virtio.context.ContextLayout;
import dev.ferry.virtio.context.ContextOpcode;
import dev.ferry.virtio.driver.KnownSize;
import dev.ferry.virtio.driver.MemberSessions.Purpose;
import dev.ferry.virtio.driver.SessionDevice;
import dev.ferry.virtio.driver.VendorOpcodes;
import dev.ferry.virtio.driver.command.AdminExchange;
import dev.ferry.virtio.driver.command.AdminRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device context of one member within one session. The device keeps one snapshot and one staging area per member,
 * so there is nothing to create; used inside the driver's gate alone.
 */
final class ContextSession implements SessionDevice {
    private static final Logger LOG = LoggerFactory.getLogger(ContextSession.class);

    /** Most bytes of one READ or WRITE: what a device has to hold at once. */
    static final int PIECE_BYTES = 1 << 20;

    /** Reads beyond those that fill the space: the last piece, the end, and some for devices that stop early. */
    private static final int SPARE_READS = 16;

    private final ContextOwner owner;
    private final int member;
    private final Purpose purpose;
    private volatile boolean ended;

    /** Whether a whole context was handed over, which takes effect when FREEZE is left. */
    private boolean loaded;

    /** Whether the device may keep a snapshot that was not read to its end. */
    private boolean reading;

    private final KnownSize size = new KnownSize(this::querySize);

    private ContextSession(ContextOwner owner, int member, Purpose purpose) {
        this.owner = owner;
        this.member = member;
        this.purpose = purpose;
    }

    /**
     * Opens; one that resumes begins with everything dropped that was written before.
     *
     * @throws DeviceException as the device gives it
     */
    static ContextSession open(ContextOwner owner, int member, Purpose purpose) throws DeviceException {
        ContextSession session = new ContextSession(owner, member, purpose);
        if (purpose == Purpose.RESUMING) {
            discard(owner, member);
        }
        return session;
    }

    /** Drops what a member keeps of a context, read or written. */
    static void discard(ContextOwner owner, int member) throws DeviceException {
        owner.channel().execute(request(ContextOpcode.V1_DEV_CTX_DISCARD, member, AdminRequest.space(0)));
    }

    private static AdminRequest request(ContextOpcode opcode, int member, ByteBuffer result) {
        return AdminRequest.toMember(opcode.number(), member, 0, data -> {}, result);
    }

    /** What was loaded whole must stay until the mode changes; anything else at the device is dropped. */
    @Override
    public void end() {
        if (ended) {
            return;
        }
        ended = true;
        boolean keepsSomething = switch (purpose) {
            case SAVING -> reading;
            case RESUMING -> !loaded;
        };
        if (!keepsSomething) {
            return;
        }
        try {
            discard(owner, member);
        } catch (DeviceException e) {
            LOG.warn("{} may keep a device context: {}", describe(), e.getMessage());
        }
    }

    @Override
    public int imageTag() {
        return RecordHeader.TAG_DEVICE_CONTEXT;
    }

    @Override
    public long imageSize() throws DeviceException {
        requireAlive();
        return size.take();
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

    /** The upper bound in FREEZE, because a device that runs may need more at any moment. */
    private long querySize() throws DeviceException {
        ByteBuffer result = AdminRequest.space(ContextLayout.SIZE_RESULT_BYTES);
        int length = owner.channel().execute(AdminRequest.toMember(
                ContextOpcode.V1_DEV_CTX_SIZE_GET.number(),
                member,
                ContextLayout.SIZE_GET_BYTES,
                data -> data.put((byte) ContextLayout.FREEZE_MODE),
                result));
        long size = length < ContextLayout.SIZE_RESULT_BYTES ? 0 : result.getLong(0);
        if (size <= 0) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "%s says that its device context takes %s bytes"
                            .formatted(describe(), Long.toUnsignedString(size)));
        }
        return size;
    }

    /** Reads a whole snapshot in pieces; one that was broken off is dropped first, so that this one begins anew. */
    @Override
    public void captureImage(ByteBuffer into) throws DeviceException {
        requireAlive();
        if (reading) {
            discard(owner, member);
        }
        int start = into.position();
        reading = true;
        try {
            readPieces(into);
            reading = false;
        } finally {
            if (reading) {
                into.position(start);
            }
        }
        if (into.position() == start) {
            throw new DeviceException(Errno.EINVAL, describe() + " gave an empty device context");
        }
    }

    private void readPieces(ByteBuffer into) throws DeviceException {
        // A device fills what it is given as long as it has something, so the number of reads is known.
        int most = into.remaining() / PIECE_BYTES + SPARE_READS;
        for (int read = 0; read < most; read++) {
            int count = readPiece(into);
            if (count == 0) {
                return;
            }
            into.position(into.position() + count);
        }
        throw new DeviceException(
                Errno.EIO, describe() + " gives its device context in pieces that are smaller than the space it had");
    }

    private int readPiece(ByteBuffer into) throws DeviceException {
        // The device tells the end by a read that gives nothing, and has to be given space for that one, too.
        boolean full = !into.hasRemaining();
        ByteBuffer piece = full
                ? AdminRequest.space(1)
                : into.slice(into.position(), Math.min(into.remaining(), PIECE_BYTES));
        AdminExchange.Answer answer = owner.channel().perform(request(ContextOpcode.V1_DEV_CTX_READ, member, piece));
        int count = answer.output();
        if (count < 0 || count > answer.length()) {
            throw new DeviceException(
                    Errno.EIO,
                    "%s says that it gave %s bytes of its device context but wrote %d"
                            .formatted(describe(), Integer.toUnsignedString(count), answer.length()));
        }
        if (count > piece.capacity() || full && count > 0) {
            throw new DeviceException(
                    Errno.EOVERFLOW, describe() + " gives more of its device context than it said there would be");
        }
        return count;
    }

    @Override
    public void loadImage(ByteBuffer image) throws DeviceException {
        requireAlive();
        requireEnds(image);
        loaded = false; // what comes now supersedes it, beginning with its START field
        for (int at = image.position(); at < image.limit(); at += PIECE_BYTES) {
            ByteBuffer piece = image.slice(at, Math.min(image.limit() - at, PIECE_BYTES));
            owner.channel().execute(request(ContextOpcode.V1_DEV_CTX_WRITE, member, AdminRequest.space(0))
                    .with(piece));
        }
        loaded = true;
    }

    /** The device looks at the content when it leaves FREEZE; that the context has come to its end is seen here. */
    private static void requireEnds(ByteBuffer image) throws StreamException {
        List<ContextField.Located> fields = new ArrayList<>();
        ContextField.forEach(image, fields::add);
        if (fields.isEmpty() || !fields.get(0).header().is(ContextFieldType.START)) {
            throw new StreamException(0, Errno.EINVAL, "the device context does not begin with a START field");
        }
        ContextField.Located last = fields.get(fields.size() - 1);
        if (!last.header().is(ContextFieldType.END)) {
            throw new StreamException(last.offset(), Errno.EINVAL, "the device context does not end with an END field");
        }
    }

    @Override
    public void execute(int opcode, ByteBuffer data, ByteBuffer result) throws DeviceException {
        requireAlive();
        if (!owner.takesVendorOpcode(opcode)) {
            throw VendorOpcodes.notInUse(opcode, ProviderConfiguration.PID, describe());
        }
        int length = owner.channel()
                .execute(AdminRequest.toMember(opcode, member, 0, none -> {}, result).with(data));
        if (length > result.remaining()) {
            throw new DeviceException(
                    Errno.EOVERFLOW,
                    "%s wrote %d bytes into space for %d".formatted(describe(), length, result.remaining()));
        }
        result.position(result.position() + length);
    }

    private void requireAlive() throws DeviceException {
        if (ended) {
            throw new DeviceException(Errno.ENODEV, "the session with " + describe() + " has ended");
        }
    }

    private String describe() {
        return "member %d of %s".formatted(member, owner.id());
    }
}
