// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import dev.ferry.virtio.AdminQueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Asks an owner device itself, in bytes, how many of its device parts objects are free. */
public final class Objects {
    private static final String TO_MEMBER_1 = "0100" + "000000000000000000000000" + "0100000000000000";
    private static final String CREATE = "0a00" + TO_MEMBER_1;
    private static final String DESTROY = "0d00" + TO_MEMBER_1;

    private final AdminQueue queue;

    public Objects(AdminQueue queue) {
        this.queue = queue;
    }

    /** The ids below a limit that are not free: creates an object under each, and destroys it again. */
    public List<Integer> inUse(int limit) throws Exception {
        List<Integer> inUse = new ArrayList<>();
        for (int id = 0; id < limit; id++) {
            String header = "00000000" + "%02x000000".formatted(id);
            if (status(CREATE + header + "0000000000000000" + "0000000000000000") == 0) {
                if (status(DESTROY + header) != 0) {
                    throw new AssertionError("object " + id + " cannot be destroyed");
                }
            } else {
                inUse.add(id);
            }
        }
        return inUse;
    }

    private int status(String command) throws Exception {
        ByteBuffer answer = ByteBuffer.allocate(8);
        Await.result(queue.submit(
                new ByteBuffer[] {ByteBuffer.wrap(HexFormat.of().parseHex(command))}, new ByteBuffer[] {answer}));
        return Byte.toUnsignedInt(answer.get(0)) | Byte.toUnsignedInt(answer.get(1)) << Byte.SIZE;
    }
}
