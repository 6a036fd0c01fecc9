// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.emulator.control.NetworkPort;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Harms the tenth frame that leaves. */
record HarmingPort(NetworkPort port, Harm harm) implements NetworkPort {

    /** What becomes of it. */
    enum Harm { LOSE, DUPLICATE, REORDER, CHANGE }

    private static final int HARMED = 10;

    @Override
    public Delivery deliver(ByteBuffer frame) {
        return port.deliver(frame);
    }

    @Override
    public void connect(FrameSink sink) {
        List<ByteBuffer> held = new ArrayList<>();
        int[] count = {0};
        port.connect(frame -> {
            if (++count[0] != HARMED) {
                sink.transmitted(frame);
                held.forEach(sink::transmitted);
                held.clear();
                return;
            }
            ByteBuffer copy = ByteBuffer.allocate(frame.remaining()).put(frame.duplicate()).flip();
            switch (harm) {
                case LOSE -> { }
                case DUPLICATE -> {
                    sink.transmitted(frame);
                    sink.transmitted(copy);
                }
                case REORDER -> held.add(copy);
                case CHANGE -> sink.transmitted(copy.put(0, (byte) ~copy.get(0)));
            }
        });
    }
}
