// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.RecordType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The record types that are deployed now; sessions look here with every record, so a type serves from the record after
 * its arrival to the record before its departure.
 *
 * <p>Thread-safe; reading never blocks.
 */
final class RecordTypes {
    private static final Logger LOG = LoggerFactory.getLogger(RecordTypes.class);

    /** Standard service properties (OSGi Core, "Service Properties"). */
    private static final String SERVICE_RANKING = "service.ranking";

    private static final String SERVICE_ID = "service.id";

    /** One deployed type. */
    record Deployed(int tag, int ranking, long serviceId, RecordType type) {
        /** The tag for people, unsigned. */
        String tagText() {
            return Integer.toUnsignedString(tag);
        }
    }

    private static final Comparator<Deployed> BY_TAG_THEN_PREFERENCE =
            ((Comparator<Deployed>) (a, b) -> Integer.compareUnsigned(a.tag(), b.tag()))
                    .thenComparing(Comparator.comparingInt(Deployed::ranking).reversed())
                    .thenComparingLong(Deployed::serviceId);

    private volatile List<Deployed> deployed = List.of();

    /**
     * Adds a service, or takes its changed properties; one that claims the tag of an image or no tag is refused and
     * logged. Services are told apart by their id, because one object may be registered for several tags.
     */
    synchronized void add(RecordType type, Map<String, Object> properties) {
        List<Deployed> changed = without(properties);
        deployedAs(type, properties).ifPresent(changed::add);
        changed.sort(BY_TAG_THEN_PREFERENCE);
        deployed = List.copyOf(changed);
    }

    private static Optional<Deployed> deployedAs(RecordType type, Map<String, Object> properties) {
        if (!(properties.get(RecordType.TAG) instanceof Integer tag)) {
            LOG.warn("record type {} is ignored: its service property {} must be an Integer", type, RecordType.TAG);
            return Optional.empty();
        }
        if (RecordHeader.isImageTag(tag)) {
            LOG.warn(
                    "record type {} is ignored: tag {} ({}) belongs to the format itself",
                    type,
                    tag,
                    RecordHeader.imageName(tag));
            return Optional.empty();
        }
        int ranking = properties.get(SERVICE_RANKING) instanceof Integer number ? number : 0;
        return Optional.of(new Deployed(tag, ranking, serviceIdOf(properties), type));
    }

    private static long serviceIdOf(Map<String, Object> properties) {
        return properties.get(SERVICE_ID) instanceof Long number ? number : 0;
    }

    private List<Deployed> without(Map<String, Object> properties) {
        List<Deployed> others = new ArrayList<>(deployed);
        others.removeIf(entry -> entry.serviceId() == serviceIdOf(properties));
        return others;
    }

    /** Removes a service; one that was refused is not there and does no harm. */
    synchronized void remove(Map<String, Object> properties) {
        deployed = List.copyOf(without(properties));
    }

    /** The type that serves a tag now. */
    Optional<RecordType> find(int tag) {
        for (Deployed entry : deployed) {
            if (entry.tag() == tag) {
                return Optional.of(entry.type());
            }
        }
        return Optional.empty();
    }

    /**
     * What to throw when a type failed as its interface does not allow.
     *
     * @param what it was to do
     */
    static DeviceException broken(int tag, String what, RuntimeException e) {
        return new DeviceException(
                Errno.EIO,
                "the record type of tag %s failed to %s: %s; report this to its vendor"
                        .formatted(Integer.toUnsignedString(tag), what, e),
                e);
    }

    /** The types that serve now, one per tag, by ascending tag. */
    List<Deployed> serving() {
        List<Deployed> serving = new ArrayList<>();
        for (Deployed entry : deployed) {
            if (serving.isEmpty() || serving.get(serving.size() - 1).tag() != entry.tag()) {
                serving.add(entry);
            }
        }
        return serving;
    }
}
