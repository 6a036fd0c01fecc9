// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Is killed: at every arc, in ERROR, and in the midst of a migration. A device of the lab's own module is in the arc at
 * that moment, since its kernel module holds it there; {@code mtty} has just taken it. Arguments: {@code auto}, {@code
 * group} or {@code cdev}; a file that is made when all devices are there; two devices to migrate between; one of the
 * lab's own to bring to ERROR; then triples of an arc, {@code mtty} or {@code steered}, and a device.
 */
public final class LeftBehind {
    /** Those of a device that has P2P and PRE_COPY. */
    private static final Set<Arc> ALL_ARCS = EnumSet.complementOf(
            EnumSet.of(Arc.STOP_TO_RUNNING, Arc.RUNNING_TO_STOP, Arc.PRE_COPY_TO_STOP_COPY));

    private static final int EIO = 5;
    private static final int FEW_BYTES = 50;
    /** Nobody killed it. */
    private static final int SURVIVED = 3;

    private static final int MOST_MIGRATIONS = 100_000;
    private static final long HOLD_SECONDS = 30;

    private final HostDevices devices;
    private final List<Driven> held = new ArrayList<>();

    private LeftBehind(HostDevices devices) {
        this.devices = devices;
    }

    /** Does not return. */
    public static void main(String[] arguments) throws Exception {
        LeftBehind program = new LeftBehind(new HostDevices(arguments[0]));
        program.bringToError(arguments[4]);
        for (String kind : List.of("mtty", "steered")) {
            Set<Arc> arcs = EnumSet.noneOf(Arc.class);
            for (int i = 5; i + 2 < arguments.length; i += 3) {
                if (arguments[i + 1].equals(kind)) {
                    arcs.add(Arc.valueOf(arguments[i]));
                    program.leave(arguments[i + 2], Arc.valueOf(arguments[i]), kind.equals("steered"));
                }
            }
            demand(arcs.equals(ALL_ARCS), "%s: the arcs are %s instead of %s", kind, arcs, ALL_ARCS);
        }
        program.migrateUntilKilled(arguments[2], arguments[3], Path.of(arguments[1]));
        System.err.println("nobody killed this program, which held " + program.held.size() + " devices");
        System.exit(SURVIVED);
    }

    private void migrateUntilKilled(String source, String destination, Path ready) throws Exception {
        try (Driven first = devices.open(source);
                Driven second = devices.open(destination)) {
            Files.createFile(ready);
            for (int i = 0; i < MOST_MIGRATIONS; i++) {
                LabChecks.migrate(first.driver(), second.driver());
                first.driver().reset();
                second.driver().reset();
            }
        }
    }

    private Driven open(String name) throws Exception {
        Driven driven = devices.open(name);
        held.add(driven);
        return driven;
    }

    private void bringToError(String name) throws Exception {
        Driven driven = open(name);
        driven.driver().step(Arc.RUNNING_TO_RUNNING_P2P);
        new SteeredDevice(driven.open().device()).fail(Arc.RUNNING_P2P_TO_STOP, EIO, true);
        LabChecks.refusal(Errno.EIO, () -> driven.driver().step(Arc.RUNNING_P2P_TO_STOP));
        LabChecks.demandState(driven.driver(), DeviceState.ERROR);
    }

    /** Leaves a device at an arc: in it when it can be held there, else right behind it. */
    private void leave(String name, Arc arc, boolean hold) throws Exception {
        Driven driven = open(name);
        bringBefore(driven.driver(), arc);
        LabChecks.demandState(driven.driver(), arc.from());
        if (!hold) {
            step(driven.driver(), arc);
            LabChecks.demandState(driven.driver(), arc.to());
            return;
        }
        SteeredDevice device = new SteeredDevice(driven.open().device());
        device.hold(arc);
        Thread thread = new Thread(() -> stepInto(driven.driver(), arc), arc.toString());
        thread.setDaemon(true);
        thread.start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(HOLD_SECONDS);
        while (device.get(SteeredDevice.HELD) == 0) {
            demand(thread.isAlive() && System.nanoTime() < deadline, "%s: is not held in %s", name, arc);
            Thread.yield();
        }
    }

    private static void stepInto(MigrationDriver driver, Arc arc) {
        try {
            driver.step(arc);
            System.err.println(arc + " ended, and this program lives");
        } catch (DeviceException e) {
            System.err.println(arc + " failed: " + e);
        }
    }

    private static void bringBefore(MigrationDriver driver, Arc arc) throws IOException {
        if (arc == Arc.RESUMING_TO_STOP) {
            load(driver);
            return;
        }
        for (Arc step : way(arc.from())) {
            step(driver, step);
        }
    }

    private static List<Arc> way(DeviceState state) {
        return switch (state) {
            case RUNNING -> List.of();
            case RUNNING_P2P -> List.of(Arc.RUNNING_TO_RUNNING_P2P);
            case STOP -> List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
            case STOP_COPY -> List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_STOP_COPY);
            case PRE_COPY -> List.of(Arc.RUNNING_TO_PRE_COPY);
            case PRE_COPY_P2P -> List.of(Arc.RUNNING_TO_PRE_COPY, Arc.PRE_COPY_TO_PRE_COPY_P2P);
            case RESUMING, ERROR -> throw new IllegalArgumentException(state.toString());
        };
    }

    /** To the end of RESUMING: with the device's own state, all of it. */
    private static void load(MigrationDriver driver) throws IOException {
        LabChecks.take(driver, Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
        SavingSession saving = (SavingSession) driver.step(Arc.STOP_TO_STOP_COPY).orElseThrow();
        ByteArrayOutputStream state = new ByteArrayOutputStream();
        byte[] piece = new byte[1 << 13];
        for (int count = 0; count >= 0; count = saving.read(ByteBuffer.wrap(piece))) {
            state.write(piece, 0, count);
        }
        LabChecks.take(driver, Arc.STOP_COPY_TO_STOP);
        ResumingSession resuming =
                (ResumingSession) driver.step(Arc.STOP_TO_RESUMING).orElseThrow();
        resuming.write(ByteBuffer.wrap(state.toByteArray()));
    }

    /** A saving session that begins is left in the middle of its stream. */
    private static void step(MigrationDriver driver, Arc arc) throws IOException {
        DataTransferSession session = driver.step(arc).orElse(null);
        if (session instanceof SavingSession saving) {
            saving.read(ByteBuffer.allocate(FEW_BYTES));
        }
    }
}
