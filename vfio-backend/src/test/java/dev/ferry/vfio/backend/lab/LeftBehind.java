// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;

import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Is killed: at every arc, in a read and a write of data, in ERROR, and in the midst of a migration. A device of the
 * lab's own module is in the arc, or in the read or write, or in the migration's first read, at that moment, since its
 * kernel module holds it there; {@code mtty} has just taken the arc. Arguments: {@code auto}, {@code group} or {@code
 * cdev}; a file that is made when all devices are there; five devices of the lab's own: two to migrate between, one to
 * bring to ERROR, one to read from and one to write to; then triples of an arc, {@code mtty} or {@code steered}, and a
 * device.
 */
public final class LeftBehind {
    private static final int EIO = 5;
    /** Nobody killed it. */
    private static final int SURVIVED = 3;

    private static final int TRIPLES = 7;
    private static final long HOLD_SECONDS = 60;
    private static final long KILLED_WITHIN_SECONDS = 300;

    private final HostDevices devices;
    private final List<Driven> left = new ArrayList<>();
    private final List<SteeredDevice> held = new ArrayList<>();

    private LeftBehind(HostDevices devices) {
        this.devices = devices;
    }

    private interface Step {
        void take() throws Exception;
    }

    /** Does not return. */
    public static void main(String[] arguments) throws Exception {
        LeftBehind program = new LeftBehind(new HostDevices(arguments[0]));
        program.bringToError(arguments[4]);
        program.holdRead(arguments[5]);
        program.holdWrite(arguments[6]);
        program.holdMigration(arguments[2], arguments[3]);
        for (String kind : List.of("mtty", "steered")) {
            Set<Arc> arcs = EnumSet.noneOf(Arc.class);
            for (int i = TRIPLES; i + 2 < arguments.length; i += 3) {
                if (arguments[i + 1].equals(kind)) {
                    arcs.add(Arc.valueOf(arguments[i]));
                    program.leave(arguments[i + 2], Arc.valueOf(arguments[i]), kind.equals("steered"));
                }
            }
            demand(arcs.equals(ArcWalk.ALL_ARCS), "%s: the arcs are %s instead of %s", kind, arcs, ArcWalk.ALL_ARCS);
        }
        program.waitUntilKilled(Path.of(arguments[1]));
        System.err.println("nobody killed this program, which had " + program.left.size() + " devices");
        System.exit(SURVIVED);
    }

    private void waitUntilKilled(Path ready) throws Exception {
        for (SteeredDevice device : held) {
            demand(device.get(SteeredDevice.HELD) == 1, "a device is held no longer");
        }
        Files.createFile(ready);
        new CountDownLatch(1).await(KILLED_WITHIN_SECONDS, TimeUnit.SECONDS);
    }

    private Driven open(String name) throws Exception {
        Driven driven = devices.open(name);
        left.add(driven);
        return driven;
    }

    private void bringToError(String name) throws Exception {
        Driven driven = open(name);
        driven.driver().step(Arc.RUNNING_TO_RUNNING_P2P);
        new SteeredDevice(driven.open().device()).fail(Arc.RUNNING_P2P_TO_STOP, EIO, true);
        LabChecks.refusal(Errno.EIO, () -> driven.driver().step(Arc.RUNNING_P2P_TO_STOP));
        LabChecks.demandState(driven.driver(), DeviceState.ERROR);
    }

    private void holdRead(String name) throws Exception {
        Driven driven = open(name);
        LabChecks.take(driven.driver(), Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
        SavingSession saving =
                (SavingSession) driven.driver().step(Arc.STOP_TO_STOP_COPY).orElseThrow();
        SteeredDevice device = new SteeredDevice(driven.open().device());
        device.set(SteeredDevice.HOLD_DATA, 1);
        hold(name, device, () -> saving.read(ByteBuffer.allocate(Byte.MAX_VALUE)));
    }

    private void holdWrite(String name) throws Exception {
        Driven driven = open(name);
        byte[] state = ArcWalk.saved(driven.driver());
        ResumingSession resuming =
                (ResumingSession) driven.driver().step(Arc.STOP_TO_RESUMING).orElseThrow();
        SteeredDevice device = new SteeredDevice(driven.open().device());
        device.set(SteeredDevice.HOLD_DATA, 1);
        hold(name, device, () -> resuming.write(ByteBuffer.wrap(state)));
    }

    /** In the first read of a migration: the source is in PRE_COPY then, and the destination in RESUMING. */
    private void holdMigration(String from, String to) throws Exception {
        Driven source = open(from);
        Driven destination = open(to);
        SteeredDevice device = new SteeredDevice(source.open().device());
        device.set(SteeredDevice.HOLD_DATA, 1);
        hold(from, device, () -> LabChecks.migrate(source.driver(), destination.driver()));
    }

    /** Leaves a device at an arc: in it when it can be held there, else right behind it. */
    private void leave(String name, Arc arc, boolean inside) throws Exception {
        Driven driven = open(name);
        ArcWalk.before(driven.driver(), arc);
        LabChecks.demandState(driven.driver(), arc.from());
        if (inside) {
            SteeredDevice device = new SteeredDevice(driven.open().device());
            device.hold(arc);
            hold(name + " in " + arc, device, () -> driven.driver().step(arc));
        } else {
            ArcWalk.step(driven.driver(), arc);
            LabChecks.demandState(driven.driver(), arc.to());
        }
    }

    /** Takes a step from which there is no return, and waits until the device is in it. */
    private void hold(String where, SteeredDevice device, Step step) throws Exception {
        Thread thread = new Thread(() -> take(where, step), where);
        thread.setDaemon(true);
        thread.start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(HOLD_SECONDS);
        while (device.get(SteeredDevice.HELD) == 0) {
            demand(thread.isAlive() && System.nanoTime() < deadline, "%s is not held", where);
            Thread.yield();
        }
        held.add(device);
    }

    private static void take(String where, Step step) {
        try {
            step.take();
            System.err.println(where + " ended, and this program lives");
        } catch (Exception e) {
            System.err.println(where + " failed: " + e);
        }
    }
}
