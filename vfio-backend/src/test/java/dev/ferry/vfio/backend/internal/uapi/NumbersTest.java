// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every request number and layout, against the headers of Linux as a person reads them. */
class NumbersTest {

    @Test
    void shouldHaveTheRequestNumbersOfVfio() {
        assertThat(constants(VfioIoctl.class)).isEqualTo(new TreeMap<>(Map.ofEntries(
                Map.entry("TYPE", (long) ';'),
                Map.entry("VFIO_GET_API_VERSION", 0x3B64L),
                Map.entry("VFIO_CHECK_EXTENSION", 0x3B65L),
                Map.entry("VFIO_SET_IOMMU", 0x3B66L),
                Map.entry("VFIO_GROUP_GET_STATUS", 0x3B67L),
                Map.entry("VFIO_GROUP_SET_CONTAINER", 0x3B68L),
                Map.entry("VFIO_GROUP_GET_DEVICE_FD", 0x3B6AL),
                Map.entry("VFIO_DEVICE_GET_INFO", 15211L),
                Map.entry("VFIO_DEVICE_GET_REGION_INFO", 15212L),
                Map.entry("VFIO_DEVICE_RESET", 15215L),
                Map.entry("VFIO_IOMMU_GET_INFO", 0x3B70L),
                Map.entry("VFIO_IOMMU_MAP_DMA", 0x3B71L),
                Map.entry("VFIO_IOMMU_UNMAP_DMA", 0x3B72L),
                Map.entry("VFIO_IOMMU_DIRTY_PAGES", 15221L),
                Map.entry("VFIO_DEVICE_FEATURE", 15221L),
                Map.entry("VFIO_DEVICE_BIND_IOMMUFD", 0x3B76L),
                Map.entry("VFIO_DEVICE_ATTACH_IOMMUFD_PT", 0x3B77L),
                Map.entry("VFIO_MIG_GET_PRECOPY_INFO", 15225L),
                Map.entry("VFIO_API_VERSION", 0L),
                Map.entry("VFIO_TYPE1_IOMMU", 1L),
                Map.entry("VFIO_TYPE1v2_IOMMU", 3L),
                Map.entry("VFIO_PCI_CONFIG_REGION_INDEX", 7L))));
    }

    @Test
    void shouldHaveTheRequestNumbersOfIommufd() {
        assertThat(constants(Iommufd.class)).isEqualTo(new TreeMap<>(Map.of(
                "SIZE", 0L,
                "IOMMU_IOAS_ALLOC", 0x3B81L,
                "IOMMU_IOAS_MAP", 0x3B85L,
                "IOMMU_IOAS_UNMAP", 0x3B86L,
                "IOMMU_OPTION", 0x3B87L,
                "IOMMU_HWPT_ALLOC", 0x3B89L,
                "IOMMU_HWPT_SET_DIRTY_TRACKING", 0x3B8BL,
                "IOMMU_HWPT_GET_DIRTY_BITMAP", 0x3B8CL)));
    }

    @Test
    void shouldHaveTheFeatureNumbers() {
        assertThat(constants(DeviceFeature.class)).isEqualTo(new TreeMap<>(Map.of(
                "MIGRATION", 1L,
                "MIG_DEVICE_STATE", 2L,
                "DMA_LOGGING_START", 6L,
                "DMA_LOGGING_STOP", 7L,
                "DMA_LOGGING_REPORT", 8L,
                "MIG_DATA_SIZE", 9L,
                "MIG_PRECOPY_INFOv2", 12L,
                "GET", 0x10000L,
                "SET", 0x20000L,
                "PROBE", 0x40000L)));
    }

    @Test
    void shouldLayOutTheFeatures() {
        assertLayout(DeviceFeature.Header.class, "ARGSZ 0, BYTES 8, DATA 8, FLAGS 4");
        assertLayout(DeviceFeature.Migration.class, "BYTES 8, FLAGS 0");
        assertLayout(DeviceFeature.MigState.class, "BYTES 8, DATA_FD 4, DEVICE_STATE 0, NO_FD -1");
        assertLayout(DeviceFeature.MigDataSize.class, "BYTES 8, STOP_COPY_LENGTH 0");
        assertLayout(DeviceFeature.LoggingControl.class, "BYTES 24, NUM_RANGES 8, PAGE_SIZE 0, RANGES 16, RESERVED 12");
        assertLayout(DeviceFeature.LoggingRange.class, "BYTES 16, IOVA 0, LENGTH 8");
        assertLayout(DeviceFeature.LoggingReport.class, "BITMAP 24, BYTES 32, IOVA 0, LENGTH 8, PAGE_SIZE 16");
        assertLayout(DeviceFeature.Precopy.class,
                "ARGSZ 0, BYTES 24, DIRTY_BYTES 16, FLAGS 4, INITIAL_BYTES 8, VFIO_PRECOPY_INFO_REINIT 1");
    }

    @Test
    void shouldLayOutTheStructuresOfVfio() {
        assertLayout(VfioStruct.GroupStatus.class,
                "ARGSZ 0, BYTES 8, FLAGS 4, VFIO_GROUP_FLAGS_VIABLE 1");
        assertLayout(VfioStruct.DeviceInfo.class,
                "ARGSZ 0, BYTES 16, FLAGS 4, VFIO_DEVICE_FLAGS_PCI 2, VFIO_DEVICE_FLAGS_RESET 1");
        assertLayout(VfioStruct.RegionInfo.class,
                "ARGSZ 0, BYTES 32, FLAGS 4, INDEX 8, OFFSET 24, SIZE 16");
        assertLayout(VfioStruct.IommuInfo.class,
                "ARGSZ 0, BYTES 24, CAP_OFFSET 16, FLAGS 4, VFIO_IOMMU_INFO_CAPS 2");
        assertLayout(VfioStruct.CapHeader.class, "BYTES 8, ID 0, NEXT 4, VERSION 2");
        assertLayout(VfioStruct.CapMigration.class,
                "BYTES 32, FLAGS 8, MAX_DIRTY_BITMAP_SIZE 24, PGSIZE_BITMAP 16, VERSION 1, "
                + "VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION 2");
        assertLayout(VfioStruct.DirtyBitmap.class,
                "ARGSZ 0, BYTES 8, FLAGS 4, GET_BITMAP_SIZE 32, GET_BYTES 48, GET_DATA 40, GET_IOVA 8, "
                + "GET_PGSIZE 24, GET_SIZE 16, VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP 4, "
                + "VFIO_IOMMU_DIRTY_PAGES_FLAG_START 1, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP 2");
        assertLayout(VfioStruct.DmaMap.class,
                "ARGSZ 0, BYTES 32, FLAGS 4, IOVA 16, SIZE 24, VADDR 8, VFIO_DMA_MAP_FLAG_READ 1, "
                + "VFIO_DMA_MAP_FLAG_WRITE 2");
        assertLayout(VfioStruct.DmaUnmap.class, "ARGSZ 0, BYTES 24, FLAGS 4, IOVA 8, SIZE 16");
        assertLayout(VfioStruct.BindIommufd.class, "ARGSZ 0, BYTES 16, FLAGS 4, IOMMUFD 8, OUT_DEVID 12");
        assertLayout(VfioStruct.AttachPt.class, "ARGSZ 0, BYTES 12, FLAGS 4, PT_ID 8");
    }

    @Test
    void shouldLayOutTheStructuresOfIommufd() {
        assertLayout(Iommufd.IoasAlloc.class, "BYTES 12, FLAGS 4, OUT_IOAS_ID 8");
        assertLayout(Iommufd.IoasMap.class,
                "BYTES 40, FLAGS 4, IOAS_ID 8, IOMMU_IOAS_MAP_FIXED_IOVA 1, IOMMU_IOAS_MAP_READABLE 4, "
                + "IOMMU_IOAS_MAP_WRITEABLE 2, IOVA 32, LENGTH 24, RESERVED 12, USER_VA 16");
        assertLayout(Iommufd.IoasUnmap.class, "BYTES 24, IOAS_ID 4, IOVA 8, LENGTH 16");
        assertLayout(Iommufd.Option.class,
                "BYTES 24, IOMMU_OPTION_HUGE_PAGES 1, IOMMU_OPTION_OP_SET 0, OBJECT_ID 12, OP 8, OPTION_ID 4, "
                + "RESERVED 10, VAL64 16");
        assertLayout(Iommufd.HwptAlloc.class,
                "BYTES 24, DEV_ID 8, FLAGS 4, IOMMU_HWPT_ALLOC_DIRTY_TRACKING 2, OUT_HWPT_ID 16, PT_ID 12, "
                + "RESERVED 20");
        assertLayout(Iommufd.SetDirtyTracking.class,
                "BYTES 16, FLAGS 4, HWPT_ID 8, IOMMU_HWPT_DIRTY_TRACKING_ENABLE 1, RESERVED 12");
        assertLayout(Iommufd.GetDirtyBitmap.class,
                "BYTES 48, DATA 40, FLAGS 8, HWPT_ID 4, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR 1, IOVA 16, "
                + "LENGTH 24, PAGE_SIZE 32, RESERVED 12");
    }

    @Test
    void shouldLayOutTheStructuresOfTheCLibrary() {
        assertLayout(Posix.Kcmp.class, "FILE 0, NUMBER 272, NUMBER_X86_64 312");
        assertLayout(Posix.PollFd.class, "BYTES 8, EVENTS 4, FD 0, POLLIN 1, POLLOUT 4, REVENTS 6");
        assertLayout(Posix.SockAddr.class, "BYTES 110, FAMILY 0, PATH 2");
        assertLayout(Posix.UCred.class, "BYTES 12, PID 0, UID 4");
        assertLayout(Posix.IoVec.class, "BASE 0, BYTES 16, LEN 8");
        assertLayout(Posix.MsgHdr.class,
                "BYTES 56, CONTROL 32, CONTROLLEN 40, FLAGS 48, IOV 16, IOVLEN 24, NAME 0");
        assertLayout(Posix.CMsgHdr.class, "ALIGNMENT 8, DATA 16, LEN 0, LEVEL 8, TYPE 12");
        assertThat(constants(Posix.class)).isEqualTo(new TreeMap<>(Map.ofEntries(
                Map.entry("O_RDWR", 2L),
                Map.entry("O_CLOEXEC", 02000000L),
                Map.entry("AF_UNIX", 1L),
                Map.entry("SOCK_SEQPACKET", 5L),
                Map.entry("SOCK_CLOEXEC", 02000000L),
                Map.entry("SOCK_NONBLOCK", 04000L),
                Map.entry("SOL_SOCKET", 1L),
                Map.entry("SO_PEERCRED", 17L),
                Map.entry("SCM_RIGHTS", 1L),
                Map.entry("MSG_CTRUNC", 8L),
                Map.entry("MSG_TRUNC", 0x20L),
                Map.entry("MSG_DONTWAIT", 0x40L),
                Map.entry("MSG_NOSIGNAL", 0x4000L),
                Map.entry("MSG_CMSG_CLOEXEC", 0x40000000L),
                Map.entry("S_IFMT", 0170000L),
                Map.entry("S_IFCHR", 0020000L),
                Map.entry("S_IFDIR", 0040000L),
                Map.entry("S_IFREG", 0100000L),
                Map.entry("S_IFLNK", 0120000L),
                Map.entry("S_IFSOCK", 0140000L))));
    }

    @Test
    void shouldHaveTheOffsetsOfTheConfigurationSpace() {
        assertLayout(PciConfig.class, "BARS 6, BAR_0 16, CACHE_LINE_SIZE 12, CAPABILITY_LIST 52, CLASS_REVISION 8, "
                + "COMMAND 4, CONVENTIONAL_BYTES 256, HEADER_BYTES 64, INTERRUPT_LINE 60, LATENCY_TIMER 13, "
                + "MOST_BYTES 4096, ROM_ADDRESS 48, STATUS 6, STATUS_CAP_LIST 16, VENDOR_DEVICE 0, "
                + "VENDOR_DEVICE_BYTES 4");
        assertLayout(PciConfig.Capability.class, "ID 0, NEXT 1, OFFSET_MASK 252");
        assertLayout(PciConfig.Msi.class, "ADDRESS_HI 8, ADDRESS_LO 4, DATA_32 8, DATA_64 12, FLAGS 2, "
                + "FLAGS_64BIT 128, FLAGS_MASKBIT 256, FLAGS_QMASK 14, ID 5, MASK_32 12, MASK_64 16");
        assertLayout(PciConfig.Msix.class, "FLAGS 2, FLAGS_QSIZE 2047, ID 17, PBA 8, TABLE 4");
        assertLayout(PciConfig.Exp.class,
                "DEVCTL 8, DEVCTL2 40, DEVCTL_BCR_FLR 32768, FLAGS 2, FLAGS_VERS 15, ID 16");
    }

    @Test
    void shouldHaveTheErrorNumbersOfLinux() {
        assertLayout(LinuxErrno.class, "E2BIG 7, EACCES 13, EAGAIN 11, EBADF 9, EBUSY 16, ECONNREFUSED 111, EEXIST 17, "
                + "EFAULT 14, EINTR 4, EINVAL 22, EMFILE 24, ENFILE 23, ENODEV 19, ENOENT 2, ENOMEM 12, ENOMSG 42, "
                + "ENOSPC 28, ENOTTY 25, ENXIO 6, EOPNOTSUPP 95, EPERM 1, EPIPE 32, EPROTOTYPE 91, ERANGE 34");
    }

    @Test
    void shouldNameEveryErrorNumberByItsConstant() {
        constants(LinuxErrno.class).forEach((name, number) ->
                assertThat(LinuxErrno.name(number.intValue())).isEqualTo(name));
    }

    /** The first and the last, and those on both sides of each number that is none: a name left out would shift all. */
    @ParameterizedTest
    @CsvSource({
        "1 EPERM", "3 ESRCH", "5 EIO", "8 ENOEXEC", "10 ECHILD", "12 ENOMEM", "14 EFAULT", "15 ENOTBLK", "17 EEXIST",
        "18 EXDEV", "20 ENOTDIR", "21 EISDIR", "26 ETXTBSY", "27 EFBIG", "29 ESPIPE", "30 EROFS", "31 EMLINK",
        "33 EDOM", "35 EDEADLK", "36 ENAMETOOLONG", "37 ENOLCK", "38 ENOSYS", "39 ENOTEMPTY", "40 ELOOP", "41 errno 41",
        "43 EIDRM", "50 ENOCSI", "51 EL2HLT", "57 EBADSLT", "58 errno 58", "59 EBFONT", "60 ENOSTR", "61 ENODATA",
        "70 ECOMM", "71 EPROTO", "74 EBADMSG", "75 EOVERFLOW", "77 EBADFD", "80 ELIBBAD", "81 ELIBSCN", "88 ENOTSOCK",
        "90 EMSGSIZE", "95 EOPNOTSUPP", "98 EADDRINUSE", "99 EADDRNOTAVAIL", "100 ENETDOWN", "101 ENETUNREACH",
        "104 ECONNRESET", "107 ENOTCONN", "110 ETIMEDOUT", "114 EALREADY", "115 EINPROGRESS", "116 ESTALE",
        "121 EREMOTEIO", "122 EDQUOT", "125 ECANCELED", "126 ENOKEY", "131 ENOTRECOVERABLE", "132 ERFKILL",
        "133 EHWPOISON", "134 errno 134", "512 errno 512", "0 errno 0", "-3 errno -3"})
    void shouldNameEveryErrorOfLinux(String numberAndName) {
        String[] parts = numberAndName.split(" ", 2);
        assertThat(LinuxErrno.name(Integer.parseInt(parts[0]))).isEqualTo(parts[1]);
    }

    private static void assertLayout(Class<?> layout, String expected) {
        StringBuilder text = new StringBuilder();
        constants(layout).forEach((name, value) ->
                text.append(text.isEmpty() ? "" : ", ").append(name).append(' ').append(value));
        assertThat(text).as(layout.getSimpleName()).hasToString(expected);
    }

    private static Map<String, Long> constants(Class<?> type) {
        Map<String, Long> constants = new TreeMap<>();
        for (Field field : type.getDeclaredFields()) {
            boolean isPublic = Modifier.isPublic(field.getModifiers());
            if (isPublic && field.getType().isPrimitive()) {
                constants.put(field.getName(), value(field));
            }
        }
        return constants;
    }

    private static long value(Field field) {
        try {
            return field.getLong(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
