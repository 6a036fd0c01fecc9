// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.vendor;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** A device whose whole state is one text, with the driver that a vendor would write for it. */
final class VendorCard implements MigrationDriver, Supplier<String> {
    private String content;
    private DeviceState state = DeviceState.RUNNING;
    private CardSaving saving;
    private CardResuming resuming;

    VendorCard(String content) {
        this.content = content;
    }

    @Override
    public synchronized String get() {
        return content;
    }

    @Override
    public Set<MigrationFeature> features() {
        return EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.PRE_COPY);
    }

    @Override
    public synchronized DeviceState state() {
        return state;
    }

    @Override
    public synchronized Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        if (arc.from() != state) {
            throw new DeviceException(Errno.EINVAL, "the card is " + state + ", not " + arc.from());
        }
        Optional<DataTransferSession> opened =
                switch (arc.sessionEffect()) {
                    case NONE -> Optional.empty();
                    case OPENS_SAVING -> Optional.of(saving = new CardSaving(bytes()));
                    case OPENS_RESUMING -> Optional.of(resuming = new CardResuming());
                    case CONTINUES -> Optional.empty();
                    case ENDS -> {
                        endSessions(arc);
                        yield Optional.empty();
                    }
                };
        state = arc.to();
        if (state == DeviceState.STOP_COPY) {
            saving.finish(bytes());
        }
        return opened;
    }

    private void endSessions(Arc arc) {
        if (arc == Arc.RESUMING_TO_STOP) {
            content = resuming.received();
            resuming.end();
            resuming = null;
        } else {
            saving.end();
            saving = null;
        }
    }

    private byte[] bytes() {
        return content.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public synchronized long stopCopySize() {
        return bytes().length;
    }

    @Override
    public synchronized void reset() {
        content = "";
        saving = null;
        resuming = null;
        state = DeviceState.RUNNING;
    }
}
