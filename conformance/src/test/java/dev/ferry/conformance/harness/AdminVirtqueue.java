// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.PciFunction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The driver of an owner device, by its administration virtqueue, as on hardware. */
public final class AdminVirtqueue {

    /** VERSION_1, ACCESS_PLATFORM, SR_IOV, ADMIN_VQ. */
    private static final long FEATURES = 1L << 32 | 1L << 33 | 1L << 37 | 1L << 41;

    private static final int ADMIN_QUEUE_INDEX = 60;
    private static final int ADMIN_QUEUE_NUM = 62;
    private static final int VECTOR = 1;

    private final GuestDriver driver;
    private int index;
    private SplitQueue queue;

    /** Takes the owner device into use. */
    public AdminVirtqueue(PciFunction owner) {
        driver = new GuestDriver(owner);
        start();
    }

    /** Resets the owner device and takes it into use. */
    public void start() {
        driver.negotiate(FEATURES);
        assertThat(pci().common(ADMIN_QUEUE_NUM, 2)).as("admin_queue_num").isPositive();
        index = (int) pci().common(ADMIN_QUEUE_INDEX, 2);
        assertThat(index).as("admin_queue_index").isGreaterThanOrEqualTo((int) pci().common(GuestDriver.NUM_QUEUES, 2));
        queue = driver.enable(index, VECTOR);
        pci().common(GuestDriver.DEVICE_STATUS, 1, GuestDriver.LIVE);
    }

    /** The owner device as a PCI function. */
    public PciView pci() {
        return driver.pci();
    }

    /** Interrupts so far. */
    public List<Integer> interrupts() {
        return driver.interrupts();
    }

    /** Sends one command. */
    public Answer send(String command, int space) {
        return send(List.of(command), space).get(0);
    }

    /** Makes up to seven commands available at once, notifies the device, and takes the answers in queue order. */
    public List<Answer> send(List<String> commands, int space) {
        List<Long> answers = new ArrayList<>();
        int first = queue.offered();
        for (String command : commands) {
            byte[] readable = Hex.bytes(command);
            long answer = driver.buffer(AdminPort.canary(space));
            answers.add(answer);
            queue.offer(driver.buffer(readable), readable.length, answer, space);
        }
        driver.notifyQueue(index);
        assertThat(queue.used()).as("used commands").isEqualTo(first + commands.size() & 0xFFFF);
        List<Answer> taken = new ArrayList<>();
        for (int at = 0; at < commands.size(); at++) {
            int used = queue.usedLength(first + at);
            byte[] written = driver.bytes(answers.get(at), space);
            assertThat(used).isLessThanOrEqualTo(space);
            assertThat(Arrays.copyOfRange(written, used, space)).isEqualTo(AdminPort.canary(space - used));
            assertThat(queue.usedId(first + at)).as("chains in queue order").isEqualTo(queue.offeredId(first + at));
            taken.add(new Answer(used, Arrays.copyOf(written, used), new byte[0]));
        }
        return taken;
    }
}
