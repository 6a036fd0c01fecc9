// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import dev.ferry.emulator.control.PciFunction;

/**
 * A virtio function as an operating system finds it: everything by the capability list of its configuration space.
 * Offsets are typed in from the PCI and virtio texts.
 */
public final class PciView {

    private static final int CAPABILITIES_POINTER = 0x34;
    private static final int CAP_MSIX = 0x11;
    private static final int CAP_EXPRESS = 0x10;
    private static final int CAP_VENDOR = 0x09;
    private static final int CFG_COMMON = 1;
    private static final int CFG_NOTIFY = 2;
    private static final int CFG_DEVICE = 4;
    private static final int COMMAND = 0x04;
    /** Memory space and bus master. */
    private static final int COMMAND_ON = 0x0006;
    private static final int DEVICE_CONTROL = 8;
    private static final int INITIATE_FLR = 1 << 15;
    private static final int EXTENDED_CAPABILITIES = 0x100;
    private static final int EXTENDED_CAP_SR_IOV = 0x10;
    private static final int SR_IOV_CONTROL = 0x08;
    private static final int NUM_VFS = 0x10;
    private static final int VF_ENABLE_AND_MEMORY = 0x0009;
    private static final int MSIX_ENTRY_BYTES = 16;
    private static final long MESSAGE_ADDRESS = 0xFEE0_0000L;

    private record Place(int bar, long offset) {}

    private final PciFunction function;

    /** A view of a function; nothing is touched. */
    public PciView(PciFunction function) {
        this.function = function;
    }

    /** The function itself. */
    public PciFunction function() {
        return function;
    }

    /** Memory accesses are answered and DMA happens from now on. */
    public void enable() {
        function.writeConfig(COMMAND, 2, COMMAND_ON);
    }

    /** A field of the common configuration. */
    public long common(int offset, int size) {
        Place place = structure(CFG_COMMON);
        return function.readBar(place.bar(), place.offset() + offset, size);
    }

    /** Writes a field of the common configuration. */
    public void common(int offset, int size, long value) {
        Place place = structure(CFG_COMMON);
        function.writeBar(place.bar(), place.offset() + offset, size, value);
    }

    /** A field of the device configuration. */
    public long device(int offset, int size) {
        Place place = structure(CFG_DEVICE);
        return function.readBar(place.bar(), place.offset() + offset, size);
    }

    /** Notifies a queue by its number, at the offset that the queue has. */
    public void notifyQueue(int queue, int notifyOff) {
        int capability = virtioCapability(CFG_NOTIFY);
        long multiplier = function.readConfig(capability + 16, 4);
        Place place = place(capability);
        function.writeBar(place.bar(), place.offset() + notifyOff * multiplier, 2, queue);
    }

    /** Turns MSI-X on; the message of vector n has the data n. */
    public void enableMsix() {
        int capability = capability(CAP_MSIX);
        long where = function.readConfig(capability + 4, 4);
        int bar = (int) (where & 7);
        int vectors = (int) (function.readConfig(capability + 2, 2) & 0x7FF) + 1;
        function.writeConfig(capability + 2, 2, 0x8000);
        for (int vector = 0; vector < vectors; vector++) {
            long entry = (where & ~7L) + (long) MSIX_ENTRY_BYTES * vector;
            function.writeBar(bar, entry, 4, MESSAGE_ADDRESS);
            function.writeBar(bar, entry + 4, 4, 0);
            function.writeBar(bar, entry + 8, 4, vector);
            function.writeBar(bar, entry + 12, 4, 0);
        }
    }

    /** Masks or unmasks a vector in the MSI-X table. */
    public void mask(int vector, boolean masked) {
        long where = function.readConfig(capability(CAP_MSIX) + 4, 4);
        long control = (where & ~7L) + (long) MSIX_ENTRY_BYTES * vector + 12;
        function.writeBar((int) where & 7, control, 4, masked ? 1 : 0);
    }

    /** Function-level reset, as the guest does it. */
    public void functionLevelReset() {
        int capability = capability(CAP_EXPRESS);
        long control = function.readConfig(capability + DEVICE_CONTROL, 2);
        function.writeConfig(capability + DEVICE_CONTROL, 2, control | INITIATE_FLR);
    }

    /** Clears VF Enable, or sets it with so many VFs; also without any where that is wanted. */
    public void virtualFunctions(boolean enabled, int count) {
        int capability = extendedCapability(EXTENDED_CAP_SR_IOV);
        if (enabled) {
            function.writeConfig(capability + NUM_VFS, 2, count);
        }
        function.writeConfig(capability + SR_IOV_CONTROL, 2, enabled ? VF_ENABLE_AND_MEMORY : 0);
    }

    private int extendedCapability(int id) {
        for (int at = EXTENDED_CAPABILITIES; at != 0; at = (int) (function.readConfig(at, 4) >>> 20)) {
            if ((function.readConfig(at, 4) & 0xFFFF) == id) {
                return at;
            }
        }
        throw new AssertionError("no extended PCI capability " + id);
    }

    private Place structure(int type) {
        return place(virtioCapability(type));
    }

    private Place place(int capability) {
        return new Place((int) function.readConfig(capability + 4, 1), function.readConfig(capability + 8, 4));
    }

    private int capability(int id) {
        for (int at = first(); at != 0; at = next(at)) {
            if (function.readConfig(at, 1) == id) {
                return at;
            }
        }
        throw new AssertionError("no PCI capability " + id);
    }

    private int virtioCapability(int type) {
        for (int at = first(); at != 0; at = next(at)) {
            if (function.readConfig(at, 1) == CAP_VENDOR && function.readConfig(at + 3, 1) == type) {
                return at;
            }
        }
        throw new AssertionError("no virtio capability " + type);
    }

    private int first() {
        return (int) function.readConfig(CAPABILITIES_POINTER, 1);
    }

    private int next(int at) {
        return (int) function.readConfig(at + 1, 1);
    }
}
