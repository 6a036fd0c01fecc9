// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.FieldRefusedException.check;

import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.PackedVirtqueuePosition;
import dev.ferry.virtio.context.ContextField;
import dev.ferry.virtio.context.ContextFieldType;
import dev.ferry.virtio.context.PackedRunContext;
import dev.ferry.virtio.context.QueueContext;
import dev.ferry.virtio.context.SplitRunContext;
import java.util.BitSet;

/** What a device context says about queues, for {@link ContextLoader}: how they are set up, and where the device is. */
final class ContextQueues {

    private final FunctionConfig own;
    private final FunctionConfig config;
    private final VirtioState next;

    /**
     * For a state that is being made.
     *
     * @param own what the device was made with: whatever it is made to look like, its vectors are there
     * @param config the device that the context describes
     */
    ContextQueues(FunctionConfig own, FunctionConfig config, VirtioState next) {
        this.own = own;
        this.config = config;
        this.next = next;
    }

    /** Takes the fields of all queues; features and status must be there already. */
    void load(ContextFields fields) throws FieldRefusedException {
        for (ContextField.Located field : fields.ofType(ContextFieldType.VQ_CFG)) {
            queue(QueueContext.decode(field.value()));
        }
        BitSet found = new BitSet();
        for (ContextField.Located field : fields.ofType(ContextFieldType.VQ_SPLIT_RUN)) {
            SplitRunContext run = SplitRunContext.decode(field.value())
                    .orElseThrow(() -> new FieldRefusedException(
                            ContextFieldType.VQ_SPLIT_RUN, field.queueIndex(), "has a wrong length"));
            requireRing(ContextFieldType.VQ_SPLIT_RUN, field, !next.isPacked());
            check(
                    run.inFlight().isEmpty() && run.lastAvail() == run.lastUsed(),
                    ContextFieldType.VQ_SPLIT_RUN,
                    run.index(),
                    "has chains in flight, which this device cannot take over");
            next.position(run.index(), run.lastUsed());
            found.set(run.index());
        }
        for (ContextField.Located field : fields.ofType(ContextFieldType.VQ_PACKED_RUN)) {
            PackedRunContext run = PackedRunContext.decode(field.value());
            requireRing(ContextFieldType.VQ_PACKED_RUN, field, next.isPacked());
            check(
                    run.availOffWrap() == run.usedOffWrap()
                            && PackedVirtqueuePosition.descriptor(run.usedOffWrap())
                                    < next.queue(run.index()).size(),
                    ContextFieldType.VQ_PACKED_RUN,
                    run.index(),
                    "has chains in flight, or a position that is not in the queue");
            next.position(run.index(), run.usedOffWrap());
            found.set(run.index());
        }
        requirePositions(found);
    }

    private void queue(QueueContext queue) throws FieldRefusedException {
        int index = queue.index();
        check(
                index < config.queues(),
                ContextFieldType.VQ_CFG,
                index,
                "is for a queue that this device has not: it has %d".formatted(config.queues()));
        check(
                next.is(DeviceStatus.FEATURES_OK),
                ContextFieldType.VQ_CFG,
                index,
                "is enabled before FEATURES_OK");
        check(
                QueueSetup.isSize(queue.config().size(), next.isPacked(), config),
                ContextFieldType.VQ_CFG,
                index,
                "has the size %d, which is none for this device: its largest is %d"
                        .formatted(queue.config().size(), config.queueSize()));
        check(
                QueueSetup.isVectorOrNone(queue.config().vector(), own),
                ContextFieldType.VQ_CFG,
                index,
                "has an MSI-X vector that this device has not");
        check(
                queue.config().enabled() && QueueSetup.isAligned(queue.config(), next.isPacked()),
                ContextFieldType.VQ_CFG,
                index,
                "is not enabled, or has an area that is not aligned");
        check(
                queue.notifyOff() == index && queue.notifConfigData() == 0 && queue.reset() == 0,
                ContextFieldType.VQ_CFG,
                index,
                "is notified in a way that this device is not, or is being reset");
        next.queue(index, queue.config());
    }

    private void requireRing(ContextFieldType type, ContextField.Located field, boolean format)
            throws FieldRefusedException {
        int index = field.queueIndex();
        check(
                format && index < config.queues() && next.queue(index).enabled(),
                type,
                index,
                "is for a queue that is not enabled, or of another format");
    }

    private void requirePositions(BitSet found) throws FieldRefusedException {
        ContextFieldType type = next.isPacked() ? ContextFieldType.VQ_PACKED_RUN : ContextFieldType.VQ_SPLIT_RUN;
        for (int queue = 0; queue < config.queues(); queue++) {
            check(found.get(queue) || !next.queue(queue).enabled(), type, queue, "is missing");
            if (!found.get(queue)) {
                next.position(queue, Virtqueue.UNKNOWN);
            }
        }
    }
}
