// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.nio.charset.StandardCharsets;

/**
 * What the other side says: one line of words per message.
 *
 * <pre>
 * ferry-vfio 1 lend DEVICE                    with one descriptor: the device's
 * ferry-vfio 1 lend DEVICE container          with two: the device's, the container's
 * ferry-vfio 1 lend DEVICE iommufd PAGETABLE  with two: the device's, the iommufd's
 * ferry-vfio 1 return
 * </pre>
 */
sealed interface HandoverMessage {
    /** Longer messages are refused. */
    int MOST_BYTES = 256;

    String PROTOCOL = "ferry-vfio";
    String VERSION = "1";

    /** What comes beside the device's descriptor. */
    sealed interface Beside {}

    /** Nothing. */
    record Nothing() implements Beside {}

    /** The container that the device's group is in. */
    record Container() implements Beside {}

    /**
     * The iommufd that the device is bound to.
     *
     * @param pageTable id of the page table with dirty tracking that it is attached to
     */
    record Iommufd(int pageTable) implements Beside {}

    /** A device is handed over. */
    record Lend(String device, Beside beside) implements HandoverMessage {
        int descriptors() {
            return beside instanceof Nothing ? 1 : 2;
        }
    }

    /** It is wanted back. */
    record Return() implements HandoverMessage {}

    /**
     * Reads a message.
     *
     * @throws DeviceException EINVAL with a sentence for the other side
     */
    static HandoverMessage parse(byte[] bytes) throws DeviceException {
        String[] words = new String(bytes, StandardCharsets.US_ASCII).strip().split(" +");
        if (words.length < 3 || !words[0].equals(PROTOCOL)) {
            throw invalid("a message begins with " + PROTOCOL + " " + VERSION + " and says lend or return");
        }
        if (!words[1].equals(VERSION)) {
            throw invalid("version " + VERSION + " of the protocol is spoken here");
        }
        if (words[2].equals("return") && words.length == 3) {
            return new Return();
        }
        if (words[2].equals("lend") && words.length >= 4 && isName(words[3])) {
            return new Lend(words[3], beside(words));
        }
        throw invalid("say: lend DEVICE, lend DEVICE container, lend DEVICE iommufd PAGETABLE, or return");
    }

    private static Beside beside(String[] words) throws DeviceException {
        if (words.length == 4) {
            return new Nothing();
        }
        if (words.length == 5 && words[4].equals("container")) {
            return new Container();
        }
        if (words.length == 6 && words[4].equals("iommufd") && words[5].matches("[0-9]{1,9}")) {
            return new Iommufd(Integer.parseInt(words[5]));
        }
        throw invalid("the device's name may be followed by container, or by iommufd and the page table's number");
    }

    /** Goes into service properties and messages. */
    private static boolean isName(String word) {
        return word.matches("[0-9A-Za-z:.-]{1,64}");
    }

    private static DeviceException invalid(String why) {
        return new DeviceException(Errno.EINVAL, why);
    }
}
