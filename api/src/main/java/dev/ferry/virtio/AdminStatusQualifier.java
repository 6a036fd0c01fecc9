// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

/**
 * Why an admin command failed, in more detail than its status.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Group administration
 *     commands", status qualifiers</a>
 */
public enum AdminStatusQualifier {
    /** With status OK. */
    Q_OK(0),
    /** Nothing more to say. Also stands for every qualifier that is not known. */
    Q_INVALID_COMMAND(1),
    /** Opcode unknown, or not in the list in use. */
    Q_INVALID_OPCODE(2),
    /** A field of the command data is wrong. */
    Q_INVALID_FIELD(3),
    /** Group type wrong. */
    Q_INVALID_GROUP(4),
    /** Group member id wrong. */
    Q_INVALID_MEMBER(5),
    /** Out of internal resources; may be tried again. */
    Q_NORESOURCE(6),
    /** Would block for too long; should be tried again. */
    Q_TRYAGAIN(7);

    private final int number;

    AdminStatusQualifier(int number) {
        this.number = number;
    }

    /** The qualifier as unsigned 16 bits. */
    public int number() {
        return number;
    }

    /** The qualifier of a number; a driver must take an unknown one for Q_INVALID_COMMAND, and so does this. */
    public static AdminStatusQualifier ofNumber(int number) {
        AdminStatusQualifier[] qualifiers = values();
        return number < 0 || number >= qualifiers.length ? Q_INVALID_COMMAND : qualifiers[number];
    }
}
