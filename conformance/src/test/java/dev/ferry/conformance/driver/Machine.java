// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import dev.ferry.conformance.harness.Hex;
import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * One driver, taken through whole migrations as a migration does.
 *
 * @param driver the service
 */
record Machine(MigrationDriver driver) {

    private static final int PIECE_BYTES = 100;

    Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        return driver.step(arc);
    }

    /** From RUNNING to STOP. */
    void stop() throws DeviceException {
        step(Arc.RUNNING_TO_RUNNING_P2P);
        step(Arc.RUNNING_P2P_TO_STOP);
    }

    /** From STOP to RUNNING. */
    void run() throws DeviceException {
        step(Arc.STOP_TO_RUNNING_P2P);
        step(Arc.RUNNING_P2P_TO_RUNNING);
    }

    /** A session that reads; the device is in STOP. */
    SavingSession openSaving() throws DeviceException {
        return (SavingSession) step(Arc.STOP_TO_STOP_COPY).orElseThrow();
    }

    /** A session that writes; the device is in STOP. */
    ResumingSession openResuming() throws DeviceException {
        return (ResumingSession) step(Arc.STOP_TO_RESUMING).orElseThrow();
    }

    /** The whole state, with pre-copy where that is wanted; the device was RUNNING and is STOP. */
    byte[] save(boolean precopy) throws IOException {
        if (!precopy) {
            stop();
            SavingSession session = openSaving();
            byte[] saved = read(session);
            step(Arc.STOP_COPY_TO_STOP);
            return saved;
        }
        SavingSession session = (SavingSession) step(Arc.RUNNING_TO_PRE_COPY).orElseThrow();
        session.precopyInfo();
        step(Arc.PRE_COPY_TO_PRE_COPY_P2P);
        step(Arc.PRE_COPY_P2P_TO_STOP_COPY);
        byte[] saved = read(session);
        step(Arc.STOP_COPY_TO_STOP);
        return saved;
    }

    private static byte[] read(SavingSession session) throws IOException {
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
        while (session.read(piece.clear()) >= 0) {
            saved.write(piece.array(), 0, piece.position());
        }
        return saved.toByteArray();
    }

    /** Loads a state; the device was RUNNING and is RUNNING. */
    void load(byte[] state) throws IOException {
        stop();
        ResumingSession session = openResuming();
        session.write(ByteBuffer.wrap(state));
        step(Arc.RESUMING_TO_STOP);
        run();
    }

    /** A record as the Linux driver writes it: size le64, flags le32, tag le32 = 0, then the parts. */
    static byte[] record(String parts) {
        String plain = Hex.plain(parts);
        return Hex.bytes(Hex.le64(plain.length() / 2) + Hex.le32(0) + Hex.le32(0) + plain);
    }
}
