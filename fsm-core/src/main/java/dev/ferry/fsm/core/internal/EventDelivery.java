// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventAdmin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the events of one migration to its listener and to Event Admin, where there is one now; neither can disturb the
 * migration. Called on the thread of the migration.
 */
final class EventDelivery implements MigrationListener {

    private static final Logger LOG = LoggerFactory.getLogger(EventDelivery.class);

    private final MigrationListener listener;
    private final Supplier<EventAdmin> eventAdmin;

    /** The supplier gives null while there is no Event Admin, and may fail while one goes. */
    EventDelivery(MigrationListener listener, Supplier<EventAdmin> eventAdmin) {
        this.listener = listener;
        this.eventAdmin = eventAdmin;
    }

    @Override
    public void onEvent(MigrationEvent event) {
        try {
            listener.onEvent(event);
        } catch (RuntimeException | Error e) {
            LOG.warn("{}: its listener failed; the migration goes on", event.migration(), e);
        }
        try {
            EventAdmin admin = eventAdmin.get();
            if (admin != null) {
                post(event, admin);
            }
        } catch (RuntimeException | Error e) {
            LOG.warn("{}: an event could not be posted; the migration goes on", event.migration(), e);
        }
    }

    private static void post(MigrationEvent event, EventAdmin admin) {
        Map<String, Object> properties = new HashMap<>();
        properties.put(MigrationEvent.MIGRATION, event.migration());
        if (event instanceof MigrationEvent.PhaseStarted started) {
            properties.put(MigrationEvent.PHASE, started.phase().name());
            admin.postEvent(new Event(MigrationEvent.TOPIC_PHASE, properties));
        } else if (event instanceof MigrationEvent.PhaseEnded over) {
            properties.put(MigrationEvent.PHASE, over.phase().name());
            admin.postEvent(new Event(MigrationEvent.TOPIC_PHASE_ENDED, properties));
        } else if (event instanceof MigrationEvent.ArcStarting starting) {
            properties.put(MigrationEvent.DEVICE, starting.device());
            properties.put(MigrationEvent.STATE, starting.arc().to().name());
            admin.postEvent(new Event(MigrationEvent.TOPIC_STATE_STARTING, properties));
        } else if (event instanceof MigrationEvent.ArcTaken taken) {
            properties.put(MigrationEvent.DEVICE, taken.device());
            properties.put(MigrationEvent.STATE, taken.arc().to().name());
            admin.postEvent(new Event(MigrationEvent.TOPIC_STATE, properties));
        } else if (event instanceof MigrationEvent.ArcFailed failed) {
            properties.put(MigrationEvent.DEVICE, failed.device());
            properties.put(MigrationEvent.STATE, failed.arc().to().name());
            properties.put(MigrationEvent.CODE, failed.failure().code().name());
            properties.put(MigrationEvent.MESSAGE, failed.failure().message());
            admin.postEvent(new Event(MigrationEvent.TOPIC_STATE_FAILED, properties));
        } else if (event instanceof MigrationEvent.Decided decided) {
            properties.put(MigrationEvent.DECISION, decided.decision().kind().name());
            properties.put(MigrationEvent.MESSAGE, decided.decision().message());
            admin.postEvent(new Event(MigrationEvent.TOPIC_DECISION, properties));
        } else if (event instanceof MigrationEvent.Ended ended) {
            properties.put(MigrationEvent.RESULT, ended.report().result().name());
            ended.report().failure().ifPresent(failure -> properties.put(MigrationEvent.CODE, failure.code().name()));
            admin.postEvent(new Event(MigrationEvent.TOPIC_ENDED, properties));
        }
        // Progress is for the listener alone: it would flood a bus that everybody shares.
    }
}
