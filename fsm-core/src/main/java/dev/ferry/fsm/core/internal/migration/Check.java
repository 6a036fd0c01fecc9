// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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

    private final DeviceRegistry registry;
    private final StopSignal signal;

    /** Checks devices of this registry; the signal ends waits for those which somebody asks something. */
    public Check(DeviceRegistry registry, StopSignal signal) {
        this.registry = registry;
        this.signal = signal;
    }

    /** All findings; empty when nothing stands against the migration. */
    public List<Finding> allFindings(MigrationRequest request) {
        List<Finding> findings = beforeProfiles(request);
        new ProfileCheck(registry, signal).ofFree(request.devices(), findings);
        return List.copyOf(findings);
    }

    /** Findings before both devices are reserved: where there is none, the profiles are left to the reserved ones. */
    public List<Finding> findings(MigrationRequest request) {
        List<Finding> findings = beforeProfiles(request);
        if (!findings.isEmpty()) {
            new ProfileCheck(registry, signal).ofFree(request.devices(), findings);
        }
        return List.copyOf(findings);
    }

    private List<Finding> beforeProfiles(MigrationRequest request) {
        List<Finding> findings = new ArrayList<>();
        List<Device> found = new ArrayList<>();
        for (DevicePair pair : request.devices()) {
            findings(pair, found, findings);
        }
        requireDifferent(request, findings);
        together(found, request.devices().size(), findings);
        sessions(found, findings);
        return findings;
    }

    private void findings(DevicePair pair, List<Device> found, List<Finding> findings) {
        Optional<Device> source = find(pair.source(), findings);
        Optional<Device> destination = find(pair.destination(), findings);
        source.ifPresent(found::add);
        destination.ifPresent(found::add);
        if (pair.source().equals(pair.destination())) {
            add(findings, Finding.Code.SAME_DEVICE, pair.source(), "source and destination are the same device.");
        } else if (source.isPresent() && destination.isPresent()) {
            pair(source.get(), destination.get(), findings);
        }
        source.ifPresent(device -> source(device, findings, device.isBusy(signal)));
        destination
                .filter(device -> !pair.source().equals(device.id()))
                .ifPresent(device -> destination(device, findings, device.isBusy(signal)));
    }

    /**
     * The same after all devices were reserved, when they can no longer change under the migration; waits for places
     * for their sessions, as their drivers allow.
     *
     * @throws MigrationException what the signal of the job throws
     */
    List<Finding> findingsOfReserved(List<Device> sources, List<Device> destinations, Crew crew)
            throws MigrationException {
        List<Finding> findings = new ArrayList<>();
        for (int i = 0; i < sources.size(); i++) {
            pair(sources.get(i), destinations.get(i), findings);
            source(sources.get(i), findings, false);
            destination(destinations.get(i), findings, false);
        }
        if (findings.isEmpty()) {
            new ProfileCheck(registry, signal).ofReserved(sources, destinations, crew, findings);
        }
        return findings;
    }

    private static void requireDifferent(MigrationRequest request, List<Finding> findings) {
        Set<String> seen = new HashSet<>();
        Set<String> told = new HashSet<>();
        for (DevicePair pair : request.devices()) {
            Set<String> ends = new LinkedHashSet<>(List.of(pair.source()));
            ends.add(pair.destination());
            for (String id : ends) {
                if (!seen.add(id) && told.add(id)) {
                    add(findings, Finding.Code.DUPLICATE_DEVICE, id, "it appears twice in the request; name it once.");
                }
            }
        }
    }

    /** Several devices are quiesced together before any of them stops, else one writes to another that has stopped. */
    private static void together(List<Device> devices, int pairs, List<Finding> findings) {
        if (pairs == 1) {
            return;
        }
        for (Device device : new LinkedHashSet<>(devices)) {
            if (!device.features().contains(MigrationFeature.P2P)) {
                add(findings, Finding.Code.P2P_MISSING, device.id(),
                        "it lacks P2P, so it cannot be stopped together with the guest's other devices: unplug it or "
                                + "the others before the migration.");
            }
        }
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
    }

    /** Each end has a session of its owner device at the same time. */
    private static void sessions(List<Device> devices, List<Finding> findings) {
        Map<String, List<Device>> byOwner = new LinkedHashMap<>();
        for (Device device : new LinkedHashSet<>(devices)) {
            device.properties().owner().ifPresent(owner ->
                    byOwner.computeIfAbsent(owner, first -> new ArrayList<>()).add(device));
        }
        byOwner.forEach((owner, members) -> {
            Device last = members.get(members.size() - 1);
            OptionalInt sessions = last.properties().ownerSessions();
            if (sessions.isPresent() && sessions.getAsInt() < members.size()) {
                add(findings, Finding.Code.TOO_FEW_SESSIONS, last.id(),
                        "the migration would have " + members.size() + " sessions of its owner device " + owner
                                + " at a time, which allows " + sessions.getAsInt() + "; choose members of another.");
            }
        });
    }

    private static void source(Device device, List<Finding> findings, boolean busy) {
        if (isReady(device, findings, busy)) {
            state(device, Finding.Code.SOURCE_NOT_RUNNING, findings)
                    .flatMap(state -> notRunning(device, state))
                    .ifPresent(why -> add(findings, Finding.Code.SOURCE_NOT_RUNNING, device.id(), why));
        }
    }

    private static void destination(Device device, List<Finding> findings, boolean busy) {
        if (isReady(device, findings, busy)) {
            state(device, Finding.Code.DESTINATION_NOT_IDLE, findings)
                    .flatMap(state -> notIdle(device, state))
                    .ifPresent(why -> add(findings, Finding.Code.DESTINATION_NOT_IDLE, device.id(), why));
        }
    }

    /** Why a device in a state cannot be migrated. */
    private static Optional<String> notRunning(Device device, DeviceState state) {
        if (state == DeviceState.RUNNING) {
            return Optional.empty();
        }
        Optional<String> custody = device.machine().custody().beforeItRuns();
        return Optional.of("it is " + state + custody.map(", and "::concat).orElse("; take it to RUNNING first."));
    }

    /** Why a device in a state is not to be overwritten; one that somebody runs has run with all it holds. */
    private static Optional<String> notIdle(Device device, DeviceState state) {
        if (state == DeviceState.RUNNING) {
            return Optional.empty();
        }
        Optional<String> custody = device.machine().custody().toKeep().map(", and "::concat);
        return custody.or(() -> notIdle(state)).map(why -> "it is " + state + why);
    }

    /** A device that somebody saves or loads is not idle, one in ERROR can go nowhere. */
    private static Optional<String> notIdle(DeviceState state) {
        return state.hasSession() || state == DeviceState.ERROR
                ? Optional.of("; end what uses it and take it to RUNNING or STOP, or reset it.")
                : Optional.empty();
    }

    /** Its state; where that cannot be asked, a finding tells why. */
    private static Optional<DeviceState> state(Device device, Finding.Code otherwise, List<Finding> findings) {
        try {
            return Optional.of(device.machine().currentState());
        } catch (MigrationException e) {
            findings.add(new Finding(otherwise, device.id(), e.failure().message()));
            return Optional.empty();
        }
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

    private static void add(List<Finding> findings, Finding.Code code, String device, String message) {
        findings.add(new Finding(code, device, device + ": " + message));
    }
}
