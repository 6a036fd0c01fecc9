// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.legacy.FieldAccess;
import dev.ferry.emulator.internal.legacy.LegacyArea;
import dev.ferry.emulator.internal.legacy.LegacyInterface;
import dev.ferry.emulator.internal.legacy.LegacyRegisters;
import dev.ferry.virtio.LegacyNotifyInfo;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** A function as the legacy commands handle it. Thread-safe by the function's lock. */
final class FunctionLegacy implements LegacyInterface {

    private final FunctionGate gate;
    private final LegacyRegisters registers;

    FunctionLegacy(FunctionGate gate, LegacyRegisters registers) {
        this.gate = gate;
        this.registers = registers;
    }

    @Override
    public Optional<byte[]> readLegacy(LegacyArea area, FieldAccess access) {
        return gate.locked(() -> gate.isRemoved() ? Optional.empty() : registers.read(area, access));
    }

    @Override
    public boolean writeLegacy(LegacyArea area, FieldAccess access, long value) {
        AtomicBoolean done = new AtomicBoolean();
        gate.performAndServe(() -> done.set(registers.write(area, access, value)));
        return done.get();
    }

    @Override
    public List<LegacyNotifyInfo> legacyNotifications() {
        return List.of(new LegacyNotifyInfo(
                LegacyNotifyInfo.FLAGS_MEMBER, FunctionLayout.VIRTIO_BAR, FunctionLayout.LEGACY_NOTIFY_OFFSET));
    }
}
