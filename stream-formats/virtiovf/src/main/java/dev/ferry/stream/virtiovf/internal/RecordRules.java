// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.Errno;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.StreamException;

/**
 * What a receiver does with a record, judged by its header alone; loading and inspecting judge alike.
 *
 * <p>The rules are those of Linux: drivers/vfio/pci/virtio/migrate.c, with two differences: the largest size is
 * configured instead of 2^32 - 1, and an empty image is refused where the kernel would send an empty
 * command to the device. Immutable, thread-safe.
 *
 * @param types that are deployed, looked at anew with every record
 * @param maxRecordBytes the largest payload accepted
 */
record RecordRules(RecordTypes types, long maxRecordBytes) {

    /** What becomes of a record. */
    enum Treatment {
        /** A whole image for the device; whatever the flags are. */
        IMAGE,
        /** For the record type of its tag. */
        RECORD_TYPE,
        /** Thrown away without being kept: an optional record that nobody knows. */
        SKIP
    }

    /**
     * Judges a header.
     *
     * @param offset of the header in the stream
     * @param imageTag tag of the images that are wanted
     * @throws StreamException ENOMEM beyond the largest size, EINVAL for an empty image, EOPNOTSUPP for a mandatory
     *     record that nobody knows, an image of another kind too
     */
    Treatment judge(RecordHeader header, long offset, int imageTag) throws StreamException {
        if (Long.compareUnsigned(header.size(), maxRecordBytes) > 0) {
            throw new StreamException(
                    offset,
                    Errno.ENOMEM,
                    "the record claims %s bytes but the largest accepted is %d (max.record.bytes of %s)"
                            .formatted(
                                    Long.toUnsignedString(header.size()), maxRecordBytes, VirtiovfConfiguration.PID));
        }
        if (header.tag() == imageTag) {
            if (header.size() == 0) {
                throw new StreamException(
                        offset, Errno.EINVAL, "the %s record is empty".formatted(RecordHeader.imageName(imageTag)));
            }
            return Treatment.IMAGE;
        }
        if (types.find(header.tag()).isPresent()) {
            return Treatment.RECORD_TYPE;
        }
        if (header.isOptional()) {
            return Treatment.SKIP;
        }
        throw RecordHeader.isImageTag(header.tag())
                ? otherImage(header, offset, imageTag)
                : unknownMandatory(header, offset);
    }

    private static StreamException otherImage(RecordHeader header, long offset, int imageTag) {
        return new StreamException(
                offset,
                Errno.EOPNOTSUPP,
                "the state is a %s (tag %d) but the device takes only %s (tag %d); choose a device of the same kind"
                        .formatted(
                                RecordHeader.imageName(header.tag()),
                                header.tag(),
                                RecordHeader.imageName(imageTag),
                                imageTag));
    }

    /** The refusal of a mandatory record that no deployed type knows. */
    static StreamException unknownMandatory(RecordHeader header, long offset) {
        return new StreamException(
                offset,
                Errno.EOPNOTSUPP,
                "the record with tag %s is mandatory and no deployed record type knows it"
                        .formatted(Integer.toUnsignedString(header.tag())));
    }
}
