// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.demo.internal.run.Vf;
import dev.ferry.demo.internal.run.VfPair;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.FailureCode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Chooses VFs for a demonstration, on two hosts. */
final class VfChoice {

    private VfChoice() {}

    /**
     * The first usable VFs of the first host that has enough of them, each with one of the next host that has.
     *
     * @param devices by id ascending
     * @param count how many, 1 or more
     */
    static List<VfPair> among(List<DeviceDescription> devices, List<EmulatedAdapter> adapters, int count)
            throws CommandFailedException {
        List<List<Vf>> hosts = usable(devices, adapters).values().stream()
                .filter(vfs -> vfs.size() >= count)
                .toList();
        if (hosts.size() < 2) {
            throw new CommandFailedException(FailureCode.DEVICE_NOT_FOUND, missing(devices, adapters, count));
        }
        List<VfPair> pairs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pairs.add(new VfPair(hosts.get(0).get(i), hosts.get(1).get(i)));
        }
        return pairs;
    }

    /** Whether {@link #among} finds enough. */
    static boolean isEnough(List<DeviceDescription> devices, List<EmulatedAdapter> adapters, int count) {
        return usable(devices, adapters).values().stream().filter(vfs -> vfs.size() >= count).count() >= 2;
    }

    private static String missing(List<DeviceDescription> devices, List<EmulatedAdapter> adapters, int count) {
        Map<String, List<Vf>> found = usable(devices, adapters);
        String needed = count == 1 ? "an emulated VF that is RUNNING" : count + " emulated VFs that are RUNNING";
        String there = switch (found.size()) {
            case 0 -> "none";
            case 1 -> found.values().iterator().next().size() + " on " + found.keySet().iterator().next() + " alone";
            default -> "fewer";
        };
        return "the demo needs " + needed + " on each of two hosts, and found " + there
                + "; \"devices\" shows what there is";
    }

    /** By host, in the order of their first devices. */
    private static Map<String, List<Vf>> usable(List<DeviceDescription> devices, List<EmulatedAdapter> adapters) {
        Map<String, List<Vf>> hosts = new LinkedHashMap<>();
        for (DeviceDescription device : devices) {
            if (device.state().equals(Optional.of(DeviceState.RUNNING))) {
                vf(device, adapters).ifPresent(vf ->
                        hosts.computeIfAbsent(vf.host(), host -> new ArrayList<>()).add(vf));
            }
        }
        // So that vf2 comes before vf10.
        hosts.values().forEach(vfs ->
                vfs.sort(Comparator.comparingInt((Vf vf) -> vf.id().length()).thenComparing(Vf::id)));
        return hosts;
    }

    private static Optional<Vf> vf(DeviceDescription device, List<EmulatedAdapter> adapters) {
        if (device.owner().isEmpty() || device.member().isEmpty()) {
            return Optional.empty();
        }
        int member = device.member().getAsInt();
        return adapters.stream()
                .filter(adapter -> adapter.ownerId().equals(device.owner().get()))
                .filter(adapter -> member >= 1 && member <= adapter.members())
                .findFirst()
                .map(adapter -> new Vf(device.id(), device.host(), adapter.function(member), adapter.port(member)));
    }
}
