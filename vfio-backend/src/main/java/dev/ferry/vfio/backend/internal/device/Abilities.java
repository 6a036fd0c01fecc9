// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DeviceInfo;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a device said it can do, asked once, before anything is taken for it.
 *
 * @param features arcs that it has
 * @param precopyFlagsAreReliable the kernel was told to announce new initial data
 * @param tellsStopCopyLength the kernel knows {@code MIG_DATA_SIZE}
 * @param config its configuration space; empty for what is no PCI device
 */
public record Abilities(
        Set<MigrationFeature> features,
        boolean precopyFlagsAreReliable,
        boolean tellsStopCopyLength,
        Optional<ConfigSpace> config) {

    /** Where the kernel cannot tell: so much that no limit of downtime is met by accident. */
    static final long UNKNOWN_STOP_COPY_BYTES = 100L << 30;

    private static final Logger LOG = LoggerFactory.getLogger(Abilities.class);

    /**
     * Asks, and tells what is missing that somebody may want later. What the kernel is told about pre-copy flags holds
     * until the last user of the device closes it, a lender of it included.
     *
     * @throws DeviceException EOPNOTSUPP when the device cannot be migrated
     */
    public static Abilities of(VfioDevice device) throws DeviceException {
        Set<MigrationFeature> features = device.migrationFeatures();
        boolean reliable = features.contains(MigrationFeature.PRE_COPY) && device.enablePrecopyInfoV2();
        boolean tells = device.probe(DeviceFeature.MIG_DATA_SIZE, DeviceFeature.GET, "GET MIG_DATA_SIZE");
        int info = device.infoFlags();
        Optional<ConfigSpace> config =
                (info & DeviceInfo.VFIO_DEVICE_FLAGS_PCI) != 0 ? Optional.of(ConfigSpace.of(device)) : Optional.empty();
        if (!tells) {
            LOG.info("the kernel cannot tell how large the state of {} is; {} bytes are assumed",
                    device.name(), UNKNOWN_STOP_COPY_BYTES);
        }
        if ((info & DeviceInfo.VFIO_DEVICE_FLAGS_RESET) == 0) {
            LOG.warn("the kernel does not promise that {} can be reset; if it cannot, only the means of its host bring "
                    + "it out of a state that it was left in", device.name());
        }
        return new Abilities(features, reliable, tells, config);
    }
}
