// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.internal.member.ContextDevice;
import dev.ferry.emulator.internal.owner.Latency.Step;
import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevMode;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.context.ContextOpcode;
import dev.ferry.virtio.context.DeviceMode;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long each command takes. What a device takes memory for at the first time lasts as long as the session: the
 * device parts object that was read or written by, or for members with a device context, until the member is set to
 * ACTIVE.
 * Thread-safe.
 */
final class CommandPace {

    private final Latency latency;
    private final MemberGroup members;
    private final Set<Long> warmObjects = ConcurrentHashMap.newKeySet();
    private final Set<Long> warmMembers = ConcurrentHashMap.newKeySet();

    CommandPace(Latency latency, MemberGroup members) {
        this.latency = latency;
        this.members = members;
    }

    /** Nanoseconds from the moment when the queue comes to a command to its completion, whatever its result. */
    long nanos(SubmittedCommand submitted) {
        return step(submitted).map(latency::nanos).orElse(0L);
    }

    private Optional<Step> step(SubmittedCommand submitted) {
        AdminCommand command = submitted.command();
        Optional<Member> member = members.find(command.groupMemberId());
        Optional<AdminOpcode> opcode = AdminOpcode.ofNumber(command.opcode());
        if (member.isEmpty()) {
            return Optional.empty();
        }
        return opcode.isPresent()
                ? partsStep(opcode.get(), submitted, member.get())
                : ContextOpcode.ofNumber(command.opcode())
                        .flatMap(context -> contextStep(context, submitted, member.get()));
    }

    private Optional<Step> partsStep(AdminOpcode opcode, SubmittedCommand submitted, Member member) {
        if (opcode == AdminOpcode.RESOURCE_OBJ_CREATE) {
            return Optional.of(Step.CREATE_OBJECT);
        }
        if (opcode == AdminOpcode.DEV_PARTS_GET) {
            return Optional.of(warmObjects.contains(object(submitted)) ? Step.CAPTURE : Step.FIRST_CAPTURE);
        }
        if (opcode == AdminOpcode.DEV_PARTS_SET) {
            return Optional.of(warmObjects.contains(object(submitted)) ? Step.LOAD : Step.FIRST_LOAD);
        }
        if (opcode == AdminOpcode.DEV_MODE_SET) {
            boolean stop = (submitted.data(DevMode.BYTES).get(0) & DevMode.FLAG_STOPPED) != 0;
            return change(member.device().isStopped(), stop);
        }
        return Optional.empty();
    }

    private Optional<Step> contextStep(ContextOpcode opcode, SubmittedCommand submitted, Member member) {
        boolean warm = warmMembers.contains(submitted.command().groupMemberId());
        ContextDevice device = member.device().context();
        if (opcode == ContextOpcode.V1_DEV_CTX_READ && device.remainingContext() == 0) {
            return Optional.of(warm ? Step.CAPTURE : Step.FIRST_CAPTURE);
        }
        if (opcode == ContextOpcode.V1_DEV_CTX_WRITE) {
            return Optional.of(warm ? Step.LOAD : Step.FIRST_LOAD);
        }
        if (opcode == ContextOpcode.V1_DEV_MODE_SET) {
            int mode = Byte.toUnsignedInt(submitted.data(DeviceMode.BYTES).get(0));
            return change(device.mode() != DeviceMode.ACTIVE, mode != DeviceMode.ACTIVE.number());
        }
        return Optional.empty();
    }

    private static Optional<Step> change(boolean isStopped, boolean stop) {
        return isStopped == stop ? Optional.empty() : Optional.of(stop ? Step.STOP : Step.RESUME);
    }

    /** A command was executed; what the device has taken for it stays, or goes. */
    void executed(SubmittedCommand submitted, AdminResult result) {
        if (latency.isNone() || !result.isOk()) {
            return;
        }
        AdminCommand command = submitted.command();
        AdminOpcode.ofNumber(command.opcode()).ifPresent(opcode -> {
            if (opcode == AdminOpcode.RESOURCE_OBJ_CREATE || opcode == AdminOpcode.RESOURCE_OBJ_MODIFY) {
                warmObjects.remove(object(submitted));
            } else if (opcode == AdminOpcode.DEV_PARTS_GET || opcode == AdminOpcode.DEV_PARTS_SET) {
                warmObjects.add(object(submitted));
            }
        });
        ContextOpcode.ofNumber(command.opcode()).ifPresent(opcode -> {
            if (opcode == ContextOpcode.V1_DEV_CTX_READ || opcode == ContextOpcode.V1_DEV_CTX_WRITE) {
                warmMembers.add(command.groupMemberId());
            } else if (opcode == ContextOpcode.V1_DEV_MODE_SET
                    && submitted.data(DeviceMode.BYTES).get(0) == DeviceMode.ACTIVE.number()) {
                warmMembers.remove(command.groupMemberId());
            }
        });
    }

    private static long object(SubmittedCommand submitted) {
        return Integer.toUnsignedLong(
                submitted.data(DevPartsObject.HEADER_BYTES).getInt(DevPartsObject.ID_OFFSET));
    }
}
