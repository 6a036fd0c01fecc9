// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.demo.internal.run.Vf;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.FailureCode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Two VFs for a demonstration, on two hosts.
 *
 * @param source the first usable VF
 * @param destination the first usable VF on another host
 */
record VfChoice(Vf source, Vf destination) {

    /**
     * Chooses among the emulated VFs that are RUNNING.
     *
     * @param devices by id ascending
     */
    static VfChoice among(List<DeviceDescription> devices, List<EmulatedAdapter> adapters)
            throws CommandFailedException {
        List<Vf> usable = devices.stream()
                .filter(device -> device.state().equals(Optional.of(DeviceState.RUNNING)))
                .flatMap(device -> vf(device, adapters).stream())
                .toList();
        for (Vf source : usable) {
            Stream<Vf> elsewhere = usable.stream().filter(vf -> !vf.host().equals(source.host()));
            Optional<Vf> destination = elsewhere.findFirst();
            if (destination.isPresent()) {
                return new VfChoice(source, destination.get());
            }
        }
        throw new CommandFailedException(FailureCode.DEVICE_NOT_FOUND,
                "the demo needs an emulated VF that is RUNNING on each of two hosts, and found "
                        + (usable.isEmpty() ? "none" : "some on " + usable.get(0).host() + " alone")
                        + "; \"devices\" shows what there is");
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
