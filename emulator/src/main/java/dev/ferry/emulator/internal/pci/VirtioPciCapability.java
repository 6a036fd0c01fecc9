// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

/**
 * The vendor-specific capabilities by which a driver finds the structures of a virtio device.
 *
 * <table>
 *   <caption>Layout, little-endian, 16 bytes and more</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>1</td><td>cap_vndr: 0x09</td></tr>
 *   <tr><td>1</td><td>1</td><td>cap_next</td></tr>
 *   <tr><td>2</td><td>1</td><td>cap_len</td></tr>
 *   <tr><td>3</td><td>1</td><td>cfg_type</td></tr>
 *   <tr><td>4</td><td>1</td><td>bar</td></tr>
 *   <tr><td>5</td><td>1</td><td>id</td></tr>
 *   <tr><td>6</td><td>2</td><td>padding</td></tr>
 *   <tr><td>8</td><td>4</td><td>offset in the BAR</td></tr>
 *   <tr><td>12</td><td>4</td><td>length</td></tr>
 *   <tr><td>16</td><td>4</td><td>notification: notify_off_multiplier; PCI access: pci_cfg_data</td></tr>
 * </table>
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct virtio_pci_cap</a>
 */
public final class VirtioPciCapability {
    /** cfg_type of the common configuration. */
    public static final int COMMON_CFG = 1;
    /** cfg_type of the notification area. */
    public static final int NOTIFY_CFG = 2;
    /** cfg_type of the ISR status. */
    public static final int ISR_CFG = 3;
    /** cfg_type of the device-specific configuration. */
    public static final int DEVICE_CFG = 4;
    /** cfg_type of the window that reaches BARs through configuration space. */
    public static final int PCI_CFG = 5;

    /** Offset of cap_len. */
    public static final int CAP_LEN = 2;
    /** Offset of cfg_type. */
    public static final int CFG_TYPE = 3;
    /** Offset of bar. */
    public static final int BAR = 4;
    /** Offset of offset. */
    public static final int OFFSET = 8;
    /** Offset of length. */
    public static final int LENGTH = 12;
    /** Offset of notify_off_multiplier. */
    public static final int NOTIFY_OFF_MULTIPLIER = 16;
    /** Offset of pci_cfg_data. */
    public static final int PCI_CFG_DATA = 16;

    /** Bytes without a last field. */
    public static final int BYTES = 16;
    /** Bytes with a last field. */
    public static final int LONG_BYTES = 20;

    private VirtioPciCapability() {}
}
