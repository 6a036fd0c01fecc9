// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sys;

/** Whether two descriptors are of one open file, as far as the kernel tells. */
public enum SameFile {
    /** One open file, which may have two numbers. */
    YES,
    /** Two open files. */
    NO,
    /** The kernel does not tell: {@code kcmp(2)} is forbidden, or unknown to it. */
    UNKNOWN
}
