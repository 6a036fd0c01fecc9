// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Brings a device that is RUNNING to where an arc begins, with the session that is open there. */
final class ArcWalk {
    /** Those of a device that has P2P and PRE_COPY. */
    static final Set<Arc> ALL_ARCS = Collections.unmodifiableSet(EnumSet.complementOf(
            EnumSet.of(Arc.STOP_TO_RUNNING, Arc.RUNNING_TO_STOP, Arc.PRE_COPY_TO_STOP_COPY)));

    private static final int FEW_BYTES = 50;
    private static final int PIECE_BYTES = 1 << 13;

    private ArcWalk() {}

    /** To the begin of an arc; before RESUMING_TO_STOP a whole state is loaded. */
    static Optional<DataTransferSession> before(MigrationDriver driver, Arc arc) throws IOException {
        if (arc == Arc.RESUMING_TO_STOP) {
            return Optional.of(load(driver));
        }
        Optional<DataTransferSession> session = Optional.empty();
        for (Arc step : way(arc.from())) {
            Optional<DataTransferSession> opened = step(driver, step);
            session = opened.isPresent() ? opened : session;
        }
        return session;
    }

    private static List<Arc> way(DeviceState state) {
        return switch (state) {
            case RUNNING -> List.of();
            case RUNNING_P2P -> List.of(Arc.RUNNING_TO_RUNNING_P2P);
            case STOP -> List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
            case STOP_COPY -> List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_STOP_COPY);
            case PRE_COPY -> List.of(Arc.RUNNING_TO_PRE_COPY);
            case PRE_COPY_P2P -> List.of(Arc.RUNNING_TO_PRE_COPY, Arc.PRE_COPY_TO_PRE_COPY_P2P);
            case RESUMING, ERROR -> throw new IllegalArgumentException(state.toString());
        };
    }

    /** To the end of RESUMING: with the device's own state, all of it. */
    private static ResumingSession load(MigrationDriver driver) throws IOException {
        byte[] state = saved(driver);
        ResumingSession resuming =
                (ResumingSession) driver.step(Arc.STOP_TO_RESUMING).orElseThrow();
        resuming.write(ByteBuffer.wrap(state));
        return resuming;
    }

    /** From RUNNING to STOP, with the whole state on the way. */
    static byte[] saved(MigrationDriver driver) throws IOException {
        LabChecks.take(driver, Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
        SavingSession saving = (SavingSession) driver.step(Arc.STOP_TO_STOP_COPY).orElseThrow();
        ByteArrayOutputStream state = new ByteArrayOutputStream();
        byte[] piece = new byte[PIECE_BYTES];
        for (int count = 0; count >= 0; count = saving.read(ByteBuffer.wrap(piece))) {
            state.write(piece, 0, count);
        }
        LabChecks.take(driver, Arc.STOP_COPY_TO_STOP);
        return state.toByteArray();
    }

    /** An arc; a saving session that begins is left in the middle of its stream. */
    static Optional<DataTransferSession> step(MigrationDriver driver, Arc arc) throws IOException {
        Optional<DataTransferSession> session = driver.step(arc);
        if (session.orElse(null) instanceof SavingSession saving) {
            saving.read(ByteBuffer.allocate(FEW_BYTES));
        }
        return session;
    }
}
