// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDevice;
import java.util.BitSet;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The admin commands of vendors that somebody here knows, as configured now: a driver should put no others in use
 * (virtio 1.4, "Group administration commands", driver requirements). Thread-safe.
 */
public final class VendorOpcodes {
    private static final Logger LOG = LoggerFactory.getLogger(VendorOpcodes.class);

    private static final Pattern RANGE = Pattern.compile("\\s*(0x\\p{XDigit}{1,4}|\\d{1,5})"
            + "(?:\\s*-\\s*(0x\\p{XDigit}{1,4}|\\d{1,5}))?\\s*");

    private final String pid;

    private volatile BitSet known = new BitSet();

    /** None, until others are configured under a PID. */
    public VendorOpcodes(String pid) {
        this.pid = pid;
    }

    /** Takes opcodes and ranges from a configuration; what is not valid is logged and changes nothing. */
    public void configure(Supplier<String[]> configuration) {
        try {
            BitSet opcodes = new BitSet();
            for (String range : configuration.get()) {
                add(range, opcodes);
            }
            known = opcodes;
        } catch (RuntimeException e) { // Declarative Services throws from the getter what it could not convert
            LOG.error("configuration {}: vendor.opcodes is not valid, and stays as it was: {}",
                    pid, e.getMessage());
        }
    }

    private static void add(String range, BitSet opcodes) {
        if (range.isBlank()) {
            return;
        }
        Matcher matcher = RANGE.matcher(range);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + range + "' is neither an opcode nor a range of opcodes");
        }
        int first = Integer.decode(matcher.group(1));
        int last = matcher.group(2) == null ? first : Integer.decode(matcher.group(2));
        if (first < RecordDevice.FIRST_VENDOR_OPCODE || last > RecordDevice.LAST_VENDOR_OPCODE || first > last) {
            throw new IllegalArgumentException("'%s' is not within 0x%04x to 0x%04x".formatted(
                    range, RecordDevice.FIRST_VENDOR_OPCODE, RecordDevice.LAST_VENDOR_OPCODE));
        }
        opcodes.set(first, last + 1);
    }

    /** A bit per opcode; a copy. */
    public BitSet bits() {
        return (BitSet) known.clone();
    }

    /**
     * The answer to a record type that sends an opcode which was not put in use.
     *
     * @param pid of the provider whose configuration would have to name it
     * @param device the member, for the message
     */
    public static DeviceException notInUse(int opcode, String pid, String device) {
        return new DeviceException(
                Errno.EOPNOTSUPP,
                ("the admin command 0x%04x of a record type is not in use with %s: it must be a vendor's (0x%04x to "
                                + "0x%04x), reported by the owner device, and named by the key vendor.opcodes of the "
                                + "configuration %s when the owner device is set up")
                        .formatted(
                                opcode,
                                device,
                                RecordDevice.FIRST_VENDOR_OPCODE,
                                RecordDevice.LAST_VENDOR_OPCODE,
                                pid));
    }
}
