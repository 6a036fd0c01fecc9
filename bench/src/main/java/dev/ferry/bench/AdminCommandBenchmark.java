// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.emulator.guest.GuestOptions;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.emulator.guest.VirtioNetGuest;
import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevMode;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.GroupType;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Admin commands a second, and captures and restores of all device parts, on the emulated owner device: what the device
 * and its admin queue cost without any driver. The member has a guest whose driver uses up to 31 queue pairs.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class AdminCommandBenchmark {

    private static final int MEMBER = 1;
    // The provider hands out ids from 0 up; these two are never reached here.
    private static final int GET_OBJECT = 253;
    private static final int SET_OBJECT = 254;
    private static final int GUEST_QUEUE_SIZE = 16;
    // The guest model has no more; the device has parts for all its queues, used or not.
    private static final int GUEST_PAIRS = 31;
    private static final int MOST_PARTS_BYTES = 1 << 20;

    /** Queue pairs of the VF; the number of its device parts follows them. */
    @Param({"2", "128"})
    public int queuePairs;

    private EmulatedHosts hosts;
    private VirtioNetGuest guest;
    private AdminQueue owner;
    private ByteBuffer[] sizeCommand;
    private ByteBuffer[] getCommand;
    private ByteBuffer[] setCommand;
    private final ByteBuffer[] status = {ByteBuffer.allocateDirect(AdminResult.HEADER_BYTES)};
    private final ByteBuffer[] sizeResult = {
        ByteBuffer.allocateDirect(AdminResult.HEADER_BYTES + DevPartsObject.METADATA_RESULT_BYTES)
    };
    private final ByteBuffer[] partsResult = {ByteBuffer.allocateDirect(AdminResult.HEADER_BYTES + MOST_PARTS_BYTES)};

    /** Starts the hosts, boots the guest and creates one object for reading and one for writing. */
    @Setup(Level.Trial)
    public void start() throws Exception {
        hosts = EmulatedHosts.start(1, queuePairs);
        owner = hosts.owner("host1");
        guest = VirtioNetGuest.boot(
                hosts.adapter("host1").function(MEMBER),
                GuestRam.allocate(),
                GuestOptions.defaults()
                        .withQueuePairs(Math.min(queuePairs, GUEST_PAIRS))
                        .withQueueSize(GUEST_QUEUE_SIZE));
        create(GET_OBJECT, DevPartsObject.Operation.GET);
        create(SET_OBJECT, DevPartsObject.Operation.SET);
        sizeCommand = command(AdminOpcode.DEV_PARTS_METADATA_GET, DevPartsObject.METADATA_GET_BYTES, data ->
                DevPartsObject.encodeMetadataGet(data, GET_OBJECT, DevPartsObject.Metadata.SIZE));
        getCommand = command(AdminOpcode.DEV_PARTS_GET, DevPartsObject.PARTS_GET_BYTES, data ->
                DevPartsObject.encodePartsGet(data, GET_OBJECT, DevPartsObject.Selection.ALL));
        guest.pause();
        execute(
                command(AdminOpcode.DEV_MODE_SET, DevMode.BYTES, data -> data.put((byte) DevMode.FLAG_STOPPED)),
                status);
        setCommand = restore(execute(getCommand, partsResult));
    }

    /** Stops everything. */
    @TearDown(Level.Trial)
    public void stop() throws Exception {
        guest.close();
        hosts.stop();
    }

    /** The cheapest command that meets a resource object: DEV_PARTS_METADATA_GET of the size. */
    @Benchmark
    public int metadataSize() {
        return execute(sizeCommand, sizeResult);
    }

    /** DEV_PARTS_GET of all parts. */
    @Benchmark
    public int capture() {
        return execute(getCommand, partsResult);
    }

    /** DEV_PARTS_SET of all parts. */
    @Benchmark
    public int restore() {
        return execute(setCommand, status);
    }

    private void create(int id, DevPartsObject.Operation operation) {
        execute(
                command(AdminOpcode.RESOURCE_OBJ_CREATE, DevPartsObject.CREATE_BYTES, data ->
                        DevPartsObject.encodeCreate(data, id, operation)),
                status);
    }

    private ByteBuffer[] restore(int usedLength) {
        ByteBuffer header = command(AdminOpcode.DEV_PARTS_SET, DevPartsObject.HEADER_BYTES, data ->
                DevPartsObject.encodeHeader(data, SET_OBJECT))[0];
        int bytes = usedLength - AdminResult.HEADER_BYTES;
        ByteBuffer parts = ByteBuffer.allocateDirect(bytes);
        parts.put(0, partsResult[0], AdminResult.HEADER_BYTES, bytes);
        return new ByteBuffer[] {header, parts};
    }

    private interface Data {
        void encode(ByteBuffer into);
    }

    private static ByteBuffer[] command(AdminOpcode opcode, int dataBytes, Data data) {
        ByteBuffer request = ByteBuffer.allocateDirect(AdminCommand.HEADER_BYTES + dataBytes);
        AdminCommand.of(opcode, GroupType.SR_IOV, MEMBER).encode(request);
        data.encode(request);
        return new ByteBuffer[] {request.flip()};
    }

    private int execute(ByteBuffer[] readable, ByteBuffer[] writable) {
        int usedLength = owner.submit(readable, writable).toCompletableFuture().join();
        AdminResult result = AdminResult.decode(writable[0], usedLength);
        if (!result.isOk()) {
            throw new IllegalStateException("the device refused a command: " + result);
        }
        return usedLength;
    }
}
