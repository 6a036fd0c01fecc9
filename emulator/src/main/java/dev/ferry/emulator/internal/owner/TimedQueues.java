// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.device.DeviceException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * The admin queues of a device that takes its time. All commands to one member go to the same queue, those to the owner
 * device or a group to the first one. Thread-safe.
 */
final class TimedQueues {

    private final List<TimedQueue> queues;

    TimedQueues(
            int count,
            TimedQueue.Timer timer,
            ToLongFunction<SubmittedCommand> nanos,
            TimedQueue.Execution execution) {
        queues = IntStream.range(0, count)
                .mapToObj(queue -> new TimedQueue(timer, nanos, execution))
                .toList();
    }

    /** As {@link dev.ferry.virtio.AdminQueue#submit}. */
    CompletionStage<Integer> submit(SubmittedCommand submitted) {
        long member = submitted.command().groupMemberId();
        int queue = member == 0 ? 0 : (int) Long.remainderUnsigned(member - 1, queues.size());
        return queues.get(queue).submit(submitted);
    }

    /** Fails what waits and whatever comes. */
    void close(DeviceException why) {
        queues.forEach(queue -> queue.close(why));
    }
}
