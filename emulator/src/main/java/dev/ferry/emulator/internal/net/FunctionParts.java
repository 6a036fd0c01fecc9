// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.stream.StreamException;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A function as the commands of device parts handle it. Guarded by the function's lock. */
final class FunctionParts {

    private static final Logger LOG = LoggerFactory.getLogger(FunctionParts.class);

    private final FunctionConfig config;
    private final NetDevice device;

    FunctionParts(FunctionConfig config, NetDevice device) {
        this.config = config;
        this.device = device;
    }

    /** What {@link VirtioNetFunction#partHeaders} gives. */
    List<DevicePart> headers() {
        return captured().stream().map(CapturedPart::header).toList();
    }

    /** What {@link VirtioNetFunction#captureParts} does. */
    boolean capture(List<DevicePart> selected, ByteBuffer into) {
        List<CapturedPart> parts = captured();
        if (selected != null) {
            Set<CapturedPart.Name> names =
                    selected.stream().map(CapturedPart.Name::of).collect(Collectors.toSet());
            parts = parts.stream().filter(part -> names.contains(part.name())).toList();
        }
        if (parts.stream().mapToInt(CapturedPart::size).sum() > into.remaining()) {
            return false;
        }
        parts.forEach(part -> part.encode(into));
        return true;
    }

    private List<CapturedPart> captured() {
        return PartsCapture.capture(config, device.state());
    }

    /** What {@link VirtioNetFunction#loadParts} does. */
    AdminResult load(ByteBuffer parts, boolean removed) {
        if (removed || !device.isStopped()) {
            LOG.debug("{} takes no device parts unless it is stopped", config.id());
            return AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_COMMAND);
        }
        try {
            device.load(PartsLoader.load(DevicePart.readAll(parts), device.state(), config));
            return AdminResult.SUCCESS;
        } catch (PartRefusedException | StreamException e) {
            LOG.debug("{} takes no device parts: {}", config.id(), e.getMessage());
            return AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_FIELD);
        }
    }
}
