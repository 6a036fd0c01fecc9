// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.migration.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The banks of memory of a machine, ascending; nobody reads or writes over the end of one. */
final class MachineMemory implements GuestMemory {

    private final List<GuestRam> banks;
    private final Optional<DirtyTracker> tracker;

    MachineMemory(List<GuestRam> banks) {
        this.banks = List.copyOf(banks);
        List<MachineTracker.Bank> tracked = new ArrayList<>();
        for (GuestRam bank : banks) {
            bank.dirtyTracker().ifPresent(each -> tracked.add(new MachineTracker.Bank(range(bank), each)));
        }
        this.tracker = tracked.size() == banks.size() ? Optional.of(new MachineTracker(tracked)) : Optional.empty();
    }

    private static IovaRange range(GuestRam bank) {
        return new IovaRange(bank.base(), bank.size());
    }

    @Override
    public List<IovaRange> ranges() {
        return banks.stream().map(MachineMemory::range).toList();
    }

    @Override
    public void read(long address, ByteBuffer into) throws IOException {
        bank(address).read(address, into);
    }

    @Override
    public void write(long address, ByteBuffer from) throws IOException {
        bank(address).write(address, from);
    }

    @Override
    public Optional<ByteBuffer> view(long address, int length) throws IOException {
        return bank(address).view(address, length);
    }

    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        return tracker;
    }

    private GuestRam bank(long address) throws IOException {
        for (GuestRam bank : banks) {
            if (address >= bank.base() && address < bank.base() + bank.size()) {
                return bank;
            }
        }
        throw new IOException("the guest has no memory at 0x%x".formatted(address));
    }
}
