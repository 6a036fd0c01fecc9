// SPDX-License-Identifier: Apache-2.0
package com.example.card;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * A device whose whole state is one text, which does not change while the device runs. Its saved state is the length of
 * the text, so that a state that was cut off can be told, and the text.
 */
final class Card implements MigrationDriver {
    static final int LENGTH_BYTES = Integer.BYTES;
    /** A receiver takes no more, whatever it is sent. */
    static final int MAX_STATE_BYTES = 4096;

    private String content;
    private DeviceState state = DeviceState.RUNNING;
    private CardSaving saving;
    private CardResuming resuming;

    /** A card that runs. */
    Card(String content) {
        this.content = content;
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
        if (!arc.isSupportedBy(features())) {
            throw new DeviceException(Errno.EOPNOTSUPP, "the card has no arc " + arc);
        }
        if (arc.from() != state) {
            throw new DeviceException(Errno.EINVAL, "the card is in " + state + ", not in " + arc.from());
        }
        Optional<DataTransferSession> opened =
                switch (arc.sessionEffect()) {
                    case OPENS_SAVING -> Optional.of(saving = new CardSaving(saved()));
                    case OPENS_RESUMING -> Optional.of(resuming = new CardResuming());
                    case NONE, CONTINUES -> Optional.empty();
                    case ENDS -> {
                        if (arc == Arc.RESUMING_TO_STOP) {
                            content = resuming.loaded();
                        }
                        endSessions();
                        yield Optional.empty();
                    }
                };
        if (arc.to() == DeviceState.STOP_COPY) {
            saving.finish();
        }
        state = arc.to();
        return opened;
    }

    /** Whoever still holds a session is told at the next read or write. */
    private void endSessions() {
        if (saving != null) {
            saving.end();
            saving = null;
        }
        if (resuming != null) {
            resuming.end();
            resuming = null;
        }
    }

    private ByteBuffer saved() {
        byte[] text = content.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(LENGTH_BYTES + text.length).putInt(text.length).put(text).flip();
    }

    @Override
    public synchronized long stopCopySize() {
        return saved().remaining();
    }

    @Override
    public synchronized void reset() {
        endSessions();
        content = "";
        state = DeviceState.RUNNING;
    }
}
