// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.DeviceProfile;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The part of the check for which devices are asked: whether a destination takes what the source asks for. */
final class ProfileCheck {

    private final DeviceRegistry registry;
    private final StopSignal signal;

    ProfileCheck(DeviceRegistry registry, StopSignal signal) {
        this.registry = registry;
        this.signal = signal;
    }

    /** Compares devices that are not reserved, as far as nobody uses them now. */
    void ofFree(List<DevicePair> pairs, List<Finding> findings) {
        for (DevicePair pair : pairs) {
            Optional<Device> source = registry.find(pair.source()).filter(this::isFree);
            Optional<Device> destination = registry.find(pair.destination()).filter(this::isFree);
            if (source.isPresent() && destination.isPresent() && source.get() != destination.get()) {
                compare(source.get(), ask(source.get()), destination.get(), ask(destination.get()), findings);
            }
        }
    }

    private boolean isFree(Device device) {
        return !device.isBusy(signal)
                && device.features().contains(MigrationFeature.STOP_COPY)
                && device.state().filter(state -> !state.hasSession() && state != DeviceState.ERROR).isPresent();
    }

    /**
     * Compares devices that the job has reserved, with the places for all their sessions in hand; asks all of them at
     * the same time, as some capture their state for an answer.
     *
     * @throws MigrationException what the signal of the job throws; PROVIDER_GONE
     */
    void ofReserved(List<Device> sources, List<Device> destinations, Crew crew, List<Finding> findings)
            throws MigrationException {
        List<Device> all = new ArrayList<>(sources);
        all.addAll(destinations);
        try {
            registry.admission().admit(all);
        } catch (MigrationException e) {
            if (!isNoSpace(e)) {
                throw e;
            }
            findings.add(finding(e, all.get(0), Finding.Code.NO_FREE_SESSION));
            return;
        }
        Map<Device, Answer> answers = new ConcurrentHashMap<>();
        List<Crew.Piece> pieces = new ArrayList<>();
        for (Device device : all) {
            pieces.add(gate -> answers.put(device, ask(device)));
        }
        crew.run(pieces);
        for (int i = 0; i < sources.size(); i++) {
            Device source = sources.get(i);
            Device destination = destinations.get(i);
            compare(source, answers.get(source), destination, answers.get(destination), findings);
        }
    }

    /** What a device says of itself, or why it does not. */
    private record Answer(Optional<DeviceProfile> profile, Optional<Finding> finding) {}

    private static void compare(
            Device source, Answer asked, Device destination, Answer taken, List<Finding> findings) {
        asked.finding().ifPresent(findings::add);
        taken.finding().ifPresent(findings::add);
        if (asked.profile().isPresent() && taken.profile().isPresent()) {
            findings.addAll(Compatibility.findings(
                    source.id(), asked.profile().get(), destination.id(), taken.profile().get()));
        }
    }

    private static Answer ask(Device device) {
        try {
            return new Answer(device.profile(), Optional.empty());
        } catch (MigrationException e) {
            Finding.Code code = isNoSpace(e) ? Finding.Code.NO_FREE_SESSION : Finding.Code.PROFILE_UNAVAILABLE;
            return new Answer(Optional.empty(), Optional.of(finding(e, device, code)));
        }
    }

    private static boolean isNoSpace(MigrationException e) {
        return e.failure().errno().equals(Optional.of(Errno.ENOSPC));
    }

    private static Finding finding(MigrationException e, Device otherwise, Finding.Code code) {
        return new Finding(code, e.failure().device().orElse(otherwise.id()), e.failure().message());
    }
}
