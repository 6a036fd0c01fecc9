// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.virtio.NetControl;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Sends commands by the control queue, one at a time. Requests may come from any thread; the rest runs on the guest's
 * processor. A command that was sent when the guest moved is completed at the other end, where nobody waits for it.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device", "Control
 *     Virtqueue"</a>
 */
final class ControlQueue {

    /** Most bytes of a command with its class and number. */
    static final int COMMAND_BYTES = 4095;
    /** Bytes of the area for one command: the command and, at its end, the ack. */
    static final int AREA_BYTES = COMMAND_BYTES + 1;

    private record Request(byte[] command, CompletableFuture<Boolean> accepted) {}

    private final GuestRam ram;
    private final DriverQueue queue;
    private final long area;
    private final Deque<Request> requests = new ArrayDeque<>();
    private Request sent;
    private boolean closed;

    ControlQueue(GuestRam ram, DriverQueue queue) {
        this.ram = ram;
        this.queue = queue;
        this.area = queue.userData();
    }

    /** Adds a command to those that are to be sent. */
    synchronized CompletionStage<Boolean> request(NetControl control, byte[] data) {
        if (data.length > COMMAND_BYTES - NetControl.HEADER_BYTES) {
            throw new IllegalArgumentException("the data of a control command are too long: " + data.length);
        }
        byte[] command = new byte[NetControl.HEADER_BYTES + data.length];
        command[0] = (byte) control.controlClass();
        command[1] = (byte) control.command();
        System.arraycopy(data, 0, command, NetControl.HEADER_BYTES, data.length);
        Request request = new Request(command, new CompletableFuture<>());
        if (closed) {
            request.accepted().completeExceptionally(gone());
        } else {
            requests.add(request);
        }
        return request.accepted().minimalCompletionStage();
    }

    /** Fails all commands that have no answer. */
    synchronized void close() {
        closed = true;
        if (sent != null) {
            sent.accepted().completeExceptionally(gone());
        }
        requests.forEach(request -> request.accepted().completeExceptionally(gone()));
        requests.clear();
    }

    private static IOException gone() {
        return new IOException("the guest was closed before the control command was answered");
    }

    /** Tells the device to look at the queue, in case nobody told it before. */
    void kick() {
        queue.kick();
    }

    /** Takes an answer and sends the next command; returns whether there is more to do at once. */
    boolean poll() {
        if (queue.hasUsed(1)) {
            queue.takeUsed();
            answered(ram.u8(area + COMMAND_BYTES) == NetControl.ACK_OK);
        }
        if (queue.inFlight() == 0 && takeRequest()) {
            send();
        }
        return queue.hasUsed(1);
    }

    private synchronized void answered(boolean accepted) {
        if (sent != null) {
            sent.accepted().complete(accepted);
            sent = null;
        }
    }

    private synchronized boolean takeRequest() {
        sent = requests.poll();
        return sent != null;
    }

    private void send() {
        ram.bytes(area, sent.command());
        ram.u8(area + COMMAND_BYTES, NetControl.ACK_ERR);
        int command = queue.describe(area, sent.command().length, 0);
        queue.chain(command, queue.describe(area + COMMAND_BYTES, 1, DriverQueue.DESC_F_WRITE));
        queue.offer(command);
        queue.expose();
    }
}
