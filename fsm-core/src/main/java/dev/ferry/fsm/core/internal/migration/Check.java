// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.DeviceProfile;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Looks at both ends of a migration without disturbing them, and collects everything that stands against it.
 *
 * <p>What the devices ask for and take is compared when the devices are reserved, with the places for their sessions in
 * hand; or at once where something else is found anyhow, so that all findings are told together.
 */
public final class Check {

    /** One at each end, at the same time. */
    private static final int SESSIONS_PER_MIGRATION = 2;

    private final DeviceRegistry registry;

    /** Checks devices of this registry. */
    public Check(DeviceRegistry registry) {
        this.registry = registry;
    }

    /** All findings; empty when nothing stands against the migration. */
    public List<Finding> allFindings(MigrationRequest request) {
        List<Finding> findings = beforeProfiles(request);
        profilesOfFree(request, findings);
        return List.copyOf(findings);
    }

    /** Findings before both devices are reserved: where there is none, the profiles are left to the reserved ones. */
    public List<Finding> findings(MigrationRequest request) {
        List<Finding> findings = beforeProfiles(request);
        if (!findings.isEmpty()) {
            profilesOfFree(request, findings);
        }
        return List.copyOf(findings);
    }

    private List<Finding> beforeProfiles(MigrationRequest request) {
        List<Finding> findings = new ArrayList<>();
        Optional<Device> source = find(request.source(), findings);
        Optional<Device> destination = find(request.destination(), findings);
        if (request.source().equals(request.destination())) {
            add(findings, Finding.Code.SAME_DEVICE, request.source(), "source and destination are the same device.");
        } else if (source.isPresent() && destination.isPresent()) {
            pair(source.get(), destination.get(), findings);
        }
        source.ifPresent(device -> source(device, findings, device.isBusy()));
        destination
                .filter(device -> !request.source().equals(device.id()))
                .ifPresent(device -> destination(device, findings, device.isBusy()));
        return findings;
    }

    /**
     * The same after both devices were reserved, when they can no longer change under the migration; waits for places
     * for their sessions, as their drivers allow.
     *
     * @throws MigrationException what the signal of the job throws
     */
    List<Finding> findingsOfReserved(Device source, Device destination) throws MigrationException {
        List<Finding> findings = new ArrayList<>();
        pair(source, destination, findings);
        source(source, findings, false);
        destination(destination, findings, false);
        if (findings.isEmpty() && isAdmitted(source, destination, findings)) {
            profiles(source, destination, findings);
        }
        return findings;
    }

    private boolean isAdmitted(Device source, Device destination, List<Finding> findings) throws MigrationException {
        try {
            registry.admission().admit(List.of(source, destination));
            return true;
        } catch (MigrationException e) {
            if (!isNoSpace(e)) {
                throw e;
            }
            findings.add(finding(e, source, Finding.Code.NO_FREE_SESSION));
            return false;
        }
    }

    /** Of devices that are not reserved, and that nobody uses now. */
    private void profilesOfFree(MigrationRequest request, List<Finding> findings) {
        Optional<Device> source = registry.find(request.source());
        Optional<Device> destination = registry.find(request.destination());
        if (source.isPresent()
                && destination.isPresent()
                && source.get() != destination.get()
                && isComparable(source.get())
                && isComparable(destination.get())) {
            profiles(source.get(), destination.get(), findings);
        }
    }

    private static boolean isComparable(Device device) {
        return !device.isBusy()
                && device.features().contains(MigrationFeature.STOP_COPY)
                && device.state().filter(Check::isIdle).isPresent();
    }

    private static void profiles(Device source, Device destination, List<Finding> findings) {
        Optional<DeviceProfile> asked = profile(source, findings);
        Optional<DeviceProfile> taken = profile(destination, findings);
        if (asked.isPresent() && taken.isPresent()) {
            findings.addAll(
                    Compatibility.findings(source.id(), asked.get(), destination.id(), taken.get()));
        }
    }

    private static Optional<DeviceProfile> profile(Device device, List<Finding> findings) {
        try {
            return device.profile();
        } catch (MigrationException e) {
            Finding.Code code = isNoSpace(e) ? Finding.Code.NO_FREE_SESSION : Finding.Code.PROFILE_UNAVAILABLE;
            findings.add(finding(e, device, code));
            return Optional.empty();
        }
    }

    private static boolean isNoSpace(MigrationException e) {
        return e.failure().errno().equals(Optional.of(Errno.ENOSPC));
    }

    private static Finding finding(MigrationException e, Device otherwise, Finding.Code code) {
        return new Finding(code, e.failure().device().orElse(otherwise.id()), e.failure().message());
    }

    /** Fails when there are findings: DEVICE_NOT_FOUND or DEVICE_BUSY when that is all there is, else CHECK_FAILED. */
    static void requireNone(List<Finding> findings) throws MigrationException {
        if (findings.isEmpty()) {
            return;
        }
        String message = findings.size() == 1
                ? findings.get(0).message()
                : findings.stream()
                        .map(finding -> finding.code() + ": " + finding.message())
                        .collect(Collectors.joining(" "));
        throw new MigrationException(Failure.of(codeOf(findings), findings.get(0).device(), message));
    }

    private static FailureCode codeOf(List<Finding> findings) {
        Set<Finding.Code> codes = findings.stream().map(Finding::code).collect(Collectors.toSet());
        if (codes.equals(Set.of(Finding.Code.DEVICE_NOT_FOUND))) {
            return FailureCode.DEVICE_NOT_FOUND;
        }
        return codes.equals(Set.of(Finding.Code.DEVICE_BUSY)) ? FailureCode.DEVICE_BUSY : FailureCode.CHECK_FAILED;
    }

    private Optional<Device> find(String id, List<Finding> findings) {
        Optional<Device> device = registry.find(id);
        if (device.isEmpty()) {
            add(findings, Finding.Code.DEVICE_NOT_FOUND, id, "no device has this id; list the devices there are.");
        }
        return device;
    }

    private static void pair(Device source, Device destination, List<Finding> findings) {
        String type = source.properties().type();
        if (!type.equals(destination.properties().type())) {
            add(findings, Finding.Code.TYPE_MISMATCH, destination.id(),
                    "it is a " + destination.properties().type() + ", but the source is a " + type
                            + "; choose a destination of the same type.");
        }
        Optional<String> format = source.properties().streamFormat();
        if (!format.equals(destination.properties().streamFormat())) {
            add(findings, Finding.Code.STREAM_FORMAT_MISMATCH, destination.id(),
                    "it reads the stream format " + name(destination) + ", but the source writes " + name(source)
                            + "; choose a destination whose driver reads that.");
        }
        OptionalInt sessions = source.properties().ownerSessions();
        if (source.properties().owner().isPresent()
                && source.properties().owner().equals(destination.properties().owner())
                && sessions.isPresent()
                && sessions.getAsInt() < SESSIONS_PER_MIGRATION) {
            add(findings, Finding.Code.TOO_FEW_SESSIONS, destination.id(),
                    "it belongs to the same owner device as the source, which allows " + sessions.getAsInt()
                            + " session at a time where both ends need one each; choose a member of another owner.");
        }
    }

    private static void source(Device device, List<Finding> findings, boolean busy) {
        if (isReady(device, findings, busy)) {
            Optional<DeviceState> state = device.state();
            if (!state.equals(Optional.of(DeviceState.RUNNING))) {
                add(findings, Finding.Code.SOURCE_NOT_RUNNING, device.id(),
                        "it is " + name(state) + "; take it to RUNNING first.");
            }
        }
    }

    private static void destination(Device device, List<Finding> findings, boolean busy) {
        if (isReady(device, findings, busy)) {
            Optional<DeviceState> state = device.state();
            if (state.filter(Check::isIdle).isEmpty()) {
                add(findings, Finding.Code.DESTINATION_NOT_IDLE, device.id(),
                        "it is " + name(state) + "; end what uses it and take it to RUNNING or STOP, or reset it.");
            }
        }
    }

    /** A device that somebody saves or loads is not idle, one in ERROR can go nowhere. */
    private static boolean isIdle(DeviceState state) {
        return !state.hasSession() && state != DeviceState.ERROR;
    }

    private static boolean isReady(Device device, List<Finding> findings, boolean busy) {
        if (!device.features().contains(MigrationFeature.STOP_COPY)) {
            add(findings, Finding.Code.NOT_MIGRATABLE, device.id(),
                    device.properties().notMigratable().orElse("it lacks the feature STOP_COPY."));
            return false;
        }
        if (busy) {
            add(findings, Finding.Code.DEVICE_BUSY, device.id(),
                    "another migration, save, restore or state change uses it; try again when that has ended.");
        }
        return !busy;
    }

    private static String name(Device device) {
        return device.properties().streamFormat().orElse("of its own");
    }

    private static String name(Optional<DeviceState> state) {
        return state.map(DeviceState::name).orElse("in a state that cannot be asked");
    }

    private static void add(List<Finding> findings, Finding.Code code, String device, String message) {
        findings.add(new Finding(code, device, device + ": " + message));
    }
}
