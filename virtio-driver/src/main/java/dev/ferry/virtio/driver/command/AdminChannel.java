// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import dev.ferry.device.DeviceException;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminQueue;
import java.nio.ByteBuffer;

/**
 * Executes admin commands whose parts are multiples of 8 bytes, as the text demands, on the queue of one owner device,
 * each within a bounded time. Thread-safe; waits and tries again as {@link AdminExchange} does.
 */
public final class AdminChannel {

    private final AdminExchange exchange;

    /** A channel to the queue of one owner device. */
    public AdminChannel(String ownerId, AdminQueue queue, CommandTimeout timeout, AdminExchange.Clock clock) {
        exchange = new AdminExchange(ownerId, queue, timeout, clock);
    }

    /**
     * Executes one command.
     *
     * @return bytes that the device wrote behind the head; more than the result has space for when the device has more
     *     to say than was asked for, and what is missing then is unknown. The position of the result stays
     * @throws AdminCommandException for a status other than OK
     * @throws DeviceException as {@link AdminExchange#read}
     */
    public int execute(AdminRequest request) throws DeviceException {
        return perform(request).length();
    }

    /**
     * As {@link #execute}, for commands with an output.
     *
     * @throws CommandRefusedException for a status other than OK, with the output
     * @throws DeviceException as {@link AdminExchange#read}
     */
    public AdminExchange.Answer perform(AdminRequest request) throws DeviceException {
        return exchange.perform(request, request.result().slice(), filling(request.result()));
    }

    /**
     * Executes one command with a small result.
     *
     * @return as {@link AdminExchange#read}
     * @throws DeviceException as {@link AdminExchange#read}
     */
    public ByteBuffer read(AdminRequest request) throws DeviceException {
        return AdminExchange.zeroBehind(execute(request), request);
    }

    /**
     * Waits until no command of this channel is with the queue, because the lists of commands must not be changed while
     * one is; those of other bundles are not seen here.
     *
     * @throws DeviceException EBUSY when there still is one after the time that one command may take
     */
    public void awaitIdle() throws DeviceException {
        exchange.awaitIdle();
    }

    /**
     * 8 to 15 bytes behind a result, up to a multiple of 8. There is always a filling, because a device drops what lies
     * beyond the space: only bytes in the filling tell that the result was too small.
     */
    private static ByteBuffer filling(ByteBuffer result) {
        return ByteBuffer.allocate(
                result.hasRemaining()
                        ? AdminRequest.roundUp(result.remaining() + AdminRequest.UNIT_BYTES) - result.remaining()
                        : 0);
    }
}
