// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.internal.net.FunctionConfig;
import dev.ferry.emulator.internal.net.VirtioNetFunction;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;
import java.util.zip.CRC32;

/** Makes the virtio-net members of an adapter, the same ones again from the same settings. Immutable. */
public final class VirtioNetMembers implements IntFunction<Member> {

    /** Service property value: type of the members. */
    public static final String TYPE = "virtio-net";

    /** First octet of a unicast address that is locally administered (IEEE 802, "U/L bit"). */
    private static final byte LOCALLY_ADMINISTERED = 0x02;

    private static final int OWNER_QUEUE_PAIRS = 1;

    private static final int OWNER_HASH_OFFSET = 1;
    private static final int MEMBER_OFFSET = 4;

    private final AdapterSettings settings;

    /** Members as the settings say. */
    public VirtioNetMembers(AdapterSettings settings) {
        this.settings = settings;
    }

    @Override
    public Member apply(int member) {
        return Member.of(new VirtioNetFunction(new FunctionConfig(
                settings.ownerId() + "/vf" + member,
                mac(settings.ownerId(), member),
                settings.queuePairs(),
                settings.queueSize(),
                settings.features(),
                settings.offersLegacy())));
    }

    /** What the owner device itself is as a function: member 0, in the numbering of addresses. */
    static FunctionConfig owner(AdapterSettings settings) {
        return new FunctionConfig(
                settings.ownerId(),
                mac(settings.ownerId(), 0),
                OWNER_QUEUE_PAIRS,
                settings.queueSize(),
                FunctionConfig.ownerFeatures());
    }

    /** 02, then 24 bits of a hash of the owner id, then the member id in 16 bits: unique within the owner. */
    static byte[] mac(String ownerId, int member) {
        CRC32 hash = new CRC32();
        hash.update(ownerId.getBytes(StandardCharsets.UTF_8));
        ByteBuffer mac = ByteBuffer.allocate(FunctionConfig.MAC_BYTES);
        mac.putInt(OWNER_HASH_OFFSET, (int) hash.getValue() << Byte.SIZE);
        mac.put(0, LOCALLY_ADMINISTERED);
        return mac.putShort(MEMBER_OFFSET, (short) member).array();
    }
}
