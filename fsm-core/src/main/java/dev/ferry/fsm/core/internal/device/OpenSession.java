// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.migration.MigrationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The data transfer session of one device, while there is one. Confined as its {@link DeviceMachine}. */
final class OpenSession {

    private static final Logger LOG = LoggerFactory.getLogger(OpenSession.class);

    private final DriverCalls calls;

    /** Null while none is open. */
    private DataTransferSession session;

    OpenSession(DriverCalls calls) {
        this.calls = calls;
    }

    /** Whether a driver may give this on an arc; null is no session. */
    static boolean fits(Arc arc, DataTransferSession given) {
        return switch (arc.sessionEffect()) {
            case NONE, CONTINUES, ENDS -> given == null;
            case OPENS_SAVING -> given instanceof SavingSession;
            case OPENS_RESUMING -> given instanceof ResumingSession;
        };
    }

    SavingSession saving() {
        return (SavingSession) session;
    }

    ResumingSession resuming() {
        return (ResumingSession) session;
    }

    /** From now on it is this one; null leaves the one there is. */
    void take(DataTransferSession given) {
        if (given != null) {
            session = given;
        }
    }

    /** Closes it, if one is open; the state of the device does not change. */
    void drop() {
        close(session);
        session = null;
    }

    /** Closes one that is not taken. */
    void close(DataTransferSession unwanted) {
        if (unwanted == null || calls.isGone()) {
            return;
        }
        try {
            calls.call("closing its data transfer session", () -> {
                unwanted.close();
                return null;
            });
        } catch (MigrationException e) {
            LOG.warn("{}: a data transfer session could not be closed, its driver may leak it", calls.device(), e);
        }
    }
}
