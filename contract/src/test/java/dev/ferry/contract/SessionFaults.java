// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Faults in sessions, and in how they begin and end. */
final class SessionFaults {
    private final Faults faults;

    SessionFaults(Faults faults) {
        this.faults = faults;
    }

    void add() {
        saving();
        resuming();
    }

    private void saving() {
        faults.add("an end that does not stay", SavingSession.class, "read", call -> {
            Object count = call.proceed();
            return count.equals(-1) ? 0 : count;
        }, "in STOP_COPY the stream ends, and stays at its end");
        faults.add("a buffer filled from its beginning", SavingSession.class, "read", call -> {
            ByteBuffer into = call.buffer();
            ByteBuffer wrong = into.duplicate().position(0);
            int count = (int) call.method().invoke(call.target(), wrong);
            into.position(into.position() + Math.max(count, 0));
            return count;
        }, "a read fills a buffer between its position and its limit alone");
        faults.add("a buffer filled beyond its limit", SavingSession.class, "read", call -> {
            ByteBuffer into = call.buffer();
            int limit = into.limit();
            int count = (int) call.method().invoke(call.target(), into.limit(into.capacity()));
            into.limit(limit).position(Math.min(limit, into.position()));
            return count;
        }, "a read fills a buffer between its position and its limit alone");
        faults.add("a close that resets", call -> call.is(DataTransferSession.class, "close"), call -> {
            call.proceed();
            call.driver().reset();
            return null;
        }, "closing a session changes nothing at the device",
                "closing a session that was given a whole state changes nothing at the device");
        faults.add("a close that does not close", call -> call.is(DataTransferSession.class, "close"), call -> null,
                "closing a session changes nothing at the device");
        List<MigrationDriver> opened = new ArrayList<>();
        faults.add("one session only", call -> call.is(Arc.STOP_TO_STOP_COPY), call -> {
            if (opened.contains(call.driver())) {
                throw new DeviceException(Errno.ENOSPC, "there was a session already");
            }
            opened.add(call.driver());
            return call.proceed();
        }, "sessions follow one another");
        faults.add("an end in PRE_COPY", SavingSession.class, "read", call -> {
            Object count = call.proceed();
            return count.equals(0) && call.driver().state() == DeviceState.PRE_COPY ? -1 : count;
        }, "in PRE_COPY there is data, then nothing for now, and information on what there is");
        faults.add("a session that does not go on", SavingSession.class, "read", call -> {
            if (call.driver().state() == DeviceState.STOP_COPY) {
                throw new DeviceException(Errno.ENODEV, "the session is over");
            }
            return call.proceed();
        }, "a session goes on from PRE_COPY to its end in STOP_COPY",
                "a state that was read from PRE_COPY on is loaded");
    }

    private void resuming() {
        for (int piece : new int[] {1, 7, 64 << 10}) {
            faults.add("bytes lost in pieces of " + piece, ResumingSession.class, "write", call -> {
                ByteBuffer from = call.buffer();
                int count = from.remaining();
                // A state is smaller than the largest piece.
                if (count == piece || piece > 7 && count > 7) {
                    from.position(from.limit());
                    return count;
                }
                return call.proceed();
            }, "a saved state is read and loaded in pieces of " + piece + " bytes");
        }
        faults.add("a write that takes less", ResumingSession.class, "write", call -> {
            ByteBuffer from = call.buffer();
            return from.remaining() > 1
                    ? call.method().invoke(call.target(), from.limit(from.limit() - 1)) : call.proceed();
        }, "a saved state is read and loaded in pieces of 7 bytes");
        faults.add("bytes taken by a closed session", ResumingSession.class, "write", call -> {
            if (((ResumingSession) call.target()).isOpen()) {
                return call.proceed();
            }
            ByteBuffer from = call.buffer();
            int count = from.remaining();
            from.position(from.limit());
            return count;
        }, "closing a session that was given a whole state changes nothing at the device");
        faults.add("what is incomplete accepted", call -> call.is(Arc.RESUMING_TO_STOP), call -> {
            try {
                return call.proceed();
            } catch (DeviceException e) {
                return Optional.empty();
            }
        }, "an incomplete state is refused, and a reset leads out", "no state at all is refused");
    }
}
