// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import static dev.ferry.conformance.harness.Hex.le16;
import static dev.ferry.conformance.harness.Hex.le32;
import static dev.ferry.conformance.harness.Hex.u8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A device part as it lies in memory: type le16, flags u8, reserved u8, selector of 8 bytes, length le32, value.
 *
 * @param flags bit 0 = optional
 * @param selector 16 hex digits
 * @param value hex digits
 */
public record Part(int type, int flags, String selector, String value) {

    /** VIRTIO_DEV_PART_DEV_FEATURES. */
    public static final int DEV_FEATURES = 0x100;
    /** VIRTIO_DEV_PART_DRV_FEATURES. */
    public static final int DRV_FEATURES = 0x101;
    /** VIRTIO_DEV_PART_PCI_COMMON_CFG. */
    public static final int PCI_COMMON_CFG = 0x102;
    /** VIRTIO_DEV_PART_DEVICE_STATUS. */
    public static final int DEVICE_STATUS = 0x103;
    /** VIRTIO_DEV_PART_VQ_CFG. */
    public static final int VQ_CFG = 0x104;
    /** VIRTIO_DEV_PART_VQ_NOTIFY_CFG. */
    public static final int VQ_NOTIFY_CFG = 0x105;
    /** VIRTIO_NET_DEV_PART_CVQ_CFG_PART. */
    public static final int NET_CVQ_CFG = 0x200;

    private static final int HEADER_BYTES = 16;
    private static final int SELECTOR_OFFSET = 4;
    private static final int LENGTH_OFFSET = 12;

    /** A mandatory part. */
    public static Part of(int type, String selector, String value) {
        return new Part(type, 0, Hex.plain(selector), Hex.plain(value));
    }

    /** The selector of a queue: index le16, 6 bytes reserved. */
    public static String queue(int index) {
        return le16(index) + Hex.zeros(6);
    }

    /** The selector of a field of the common configuration: offset le32, 4 bytes reserved. */
    public static String field(int offset) {
        return le32(offset) + Hex.zeros(4);
    }

    /** The selector of a control command: class, command, 6 bytes reserved. */
    public static String control(int controlClass, int command) {
        return u8(controlClass) + u8(command) + Hex.zeros(6);
    }

    /** The same with another value. */
    public Part with(String newValue) {
        return new Part(type, flags, selector, Hex.plain(newValue));
    }

    /** Type and selector, by which a part is named. */
    public String name() {
        return "%04x/%s".formatted(type, selector);
    }

    /** The header alone. */
    public String header() {
        return header(value.length() / 2);
    }

    /** The header with this length. */
    public String header(long length) {
        return le16(type) + u8(flags) + "00" + selector + le32(length);
    }

    /** Header and value. */
    public String hex() {
        return header() + value;
    }

    /** Several parts, one behind the other. */
    public static String hex(List<Part> parts) {
        return parts.stream().map(Part::hex).collect(Collectors.joining());
    }

    /** The headers alone, one behind the other. */
    public static String headers(List<Part> parts) {
        return parts.stream().map(Part::header).collect(Collectors.joining());
    }

    /** Reads parts that lie one behind the other; fails where one is not whole. */
    public static List<Part> read(byte[] bytes) {
        List<Part> parts = new ArrayList<>();
        for (int at = 0; at < bytes.length; ) {
            Part header = header(bytes, at);
            int length = Math.toIntExact(Hex.number(bytes, at + LENGTH_OFFSET, Integer.BYTES));
            at += HEADER_BYTES + length;
            if (at > bytes.length) {
                throw new AssertionError("the part %s ends behind the answer".formatted(header.name()));
            }
            parts.add(header.with(Hex.of(Arrays.copyOfRange(bytes, at - length, at))));
        }
        return parts;
    }

    /** Reads headers without values; the value is the length in bytes, as zeros. */
    public static List<Part> readHeaders(byte[] bytes) {
        List<Part> parts = new ArrayList<>();
        for (int at = 0; at < bytes.length; at += HEADER_BYTES) {
            int length = Math.toIntExact(Hex.number(bytes, at + LENGTH_OFFSET, Integer.BYTES));
            parts.add(header(bytes, at).with(Hex.zeros(length)));
        }
        return parts;
    }

    private static Part header(byte[] bytes, int at) {
        if (at + HEADER_BYTES > bytes.length || bytes[at + 3] != 0) {
            throw new AssertionError("no part header at byte " + at);
        }
        return new Part(
                (int) Hex.number(bytes, at, Short.BYTES),
                bytes[at + 2],
                Hex.of(Arrays.copyOfRange(bytes, at + SELECTOR_OFFSET, at + LENGTH_OFFSET)),
                "");
    }

    /** The value of the part of a type and selector, which must be there. */
    public static String valueOf(List<Part> parts, int type, String selector) {
        return parts.stream()
                .filter(part -> part.name().equals(of(type, selector, "").name()))
                .map(Part::value)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no part %x of %s".formatted(type, selector)));
    }
}
