// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.emulator.guest.GuestOptions;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.emulator.guest.VirtioNetGuest;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One virtual machine with several VFs: for each of them a processor, a bank of memory and a driver. To a migration it
 * is one guest. Used by one thread at a time.
 */
final class Machine implements Guest, Closeable {

    /** All memory of a machine, unless its banks would be too small for the queues and their buffers. */
    private static final int USUAL_BYTES = GuestRam.DEFAULT_BYTES;

    private static final int SMALLEST_BANK_BYTES = 4 << 20;
    private static final int PAGE_BYTES = 4096;

    private final List<VirtioNetGuest> guests;
    private final MachineMemory memory;

    private Machine(List<VirtioNetGuest> guests, List<GuestRam> banks) {
        this.guests = List.copyOf(guests);
        this.memory = new MachineMemory(banks);
    }

    /** Boots one that runs on these VFs. */
    static Machine boot(List<Vf> vfs, GuestOptions options) throws IOException {
        return make(vfs, (vf, bank) -> VirtioNetGuest.boot(vf.function(), bank, options));
    }

    /** Puts the empty shell of one beside these VFs, paused. */
    static Machine attach(List<Vf> vfs) throws IOException {
        return make(vfs, (vf, bank) -> VirtioNetGuest.attach(vf.function(), bank));
    }

    @FunctionalInterface
    private interface Making {
        VirtioNetGuest make(Vf vf, GuestRam bank) throws IOException;
    }

    private static Machine make(List<Vf> vfs, Making making) throws IOException {
        int bankBytes = bytes(vfs.size()) / vfs.size();
        List<GuestRam> banks = new ArrayList<>();
        List<VirtioNetGuest> guests = new ArrayList<>();
        try {
            for (Vf vf : vfs) {
                long base = GuestRam.DEFAULT_BASE + (long) banks.size() * bankBytes;
                banks.add(new GuestRam(base, ByteBuffer.allocate(bankBytes)));
                guests.add(making.make(vf, banks.get(banks.size() - 1)));
            }
            return new Machine(guests, banks);
        } catch (IOException | RuntimeException e) {
            closeAfter(guests, e);
            throw e;
        }
    }

    /** How much memory a machine with so many VFs has: the same for each, in whole pages. */
    static int bytes(int vfs) {
        int bank = Math.max(USUAL_BYTES / vfs, SMALLEST_BANK_BYTES);
        return (bank & -PAGE_BYTES) * vfs;
    }

    private static void closeAfter(List<VirtioNetGuest> guests, Exception first) {
        for (VirtioNetGuest guest : guests) {
            try {
                guest.close();
            } catch (IOException e) {
                first.addSuppressed(e);
            }
        }
    }

    /** Why one of its processors stopped by itself; empty usually. */
    Optional<String> failure() {
        return guests.stream().flatMap(guest -> guest.failure().stream()).findFirst();
    }

    /** Which page does not hold what a processor wrote to it last; empty usually. Only while paused. */
    Optional<String> lostMemory() {
        return guests.stream().flatMap(guest -> guest.lostMemory().stream()).findFirst();
    }

    @Override
    public void pause() throws IOException {
        for (VirtioNetGuest guest : guests) {
            guest.pause();
        }
    }

    @Override
    public void resume() throws IOException {
        for (VirtioNetGuest guest : guests) {
            guest.resume();
        }
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public ByteBuffer saveDeviceConfig(String deviceId) throws IOException {
        return guest(deviceId).saveDeviceConfig(deviceId);
    }

    @Override
    public void loadDeviceConfig(String deviceId, ByteBuffer config) throws IOException {
        guest(deviceId).loadDeviceConfig(deviceId, config);
    }

    private VirtioNetGuest guest(String deviceId) throws IOException {
        return guests.stream()
                .filter(guest -> guest.id().equals(deviceId))
                .findFirst()
                .orElseThrow(() -> new IOException("the guest has no device " + deviceId));
    }

    @Override
    public void close() throws IOException {
        IOException failed = null;
        for (VirtioNetGuest guest : guests) {
            try {
                guest.close();
            } catch (IOException e) {
                failed = failed == null ? e : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
