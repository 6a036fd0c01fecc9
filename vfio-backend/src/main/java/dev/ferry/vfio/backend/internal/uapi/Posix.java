// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

/**
 * Numbers and structures of the C library's headers on 64-bit Linux: {@code fcntl.h}, {@code poll.h}, {@code
 * sys/socket.h}, {@code sys/un.h}. The same on x86-64, AArch64 and RISC-V.
 */
public final class Posix {

    // open(2)
    public static final int O_RDWR = 2;
    public static final int O_CLOEXEC = 0x80000;

    // inode(7), the kind of file in a mode
    public static final int S_IFMT = 0xF000;
    public static final int S_IFCHR = 0x2000;
    public static final int S_IFDIR = 0x4000;
    public static final int S_IFREG = 0x8000;
    public static final int S_IFLNK = 0xA000;
    public static final int S_IFSOCK = 0xC000;

    // socket(2), getsockopt(2), recvmsg(2), sendmsg(2), accept4(2)
    public static final int AF_UNIX = 1;
    public static final int SOCK_SEQPACKET = 5;
    public static final int SOCK_CLOEXEC = 0x80000;
    public static final int SOCK_NONBLOCK = 0x800;
    public static final int SOL_SOCKET = 1;
    public static final int SO_PEERCRED = 17;
    public static final int SCM_RIGHTS = 1;
    public static final int MSG_CTRUNC = 0x8;
    public static final int MSG_TRUNC = 0x20;
    public static final int MSG_DONTWAIT = 0x40;
    public static final int MSG_NOSIGNAL = 0x4000;
    public static final int MSG_CMSG_CLOEXEC = 0x40000000;

    /** {@code kcmp(2)}, which x86-64 has under another number than {@code asm-generic/unistd.h}. */
    public static final class Kcmp {
        public static final int NUMBER = 272;
        public static final int NUMBER_X86_64 = 312;
        public static final int FILE = 0;

        private Kcmp() {}
    }

    /** {@code struct pollfd}. */
    public static final class PollFd {
        public static final int FD = 0;
        public static final int EVENTS = 4;
        public static final int REVENTS = 6;
        public static final int BYTES = 8;
        public static final short POLLIN = 1;
        public static final short POLLOUT = 4;

        private PollFd() {}
    }

    /** {@code struct sockaddr_un}. */
    public static final class SockAddr {
        public static final int FAMILY = 0;
        public static final int PATH = 2;
        public static final int BYTES = 110;

        private SockAddr() {}
    }

    /** {@code struct ucred}. */
    public static final class UCred {
        public static final int PID = 0;
        public static final int UID = 4;
        public static final int BYTES = 12;

        private UCred() {}
    }

    /** {@code struct iovec}. */
    public static final class IoVec {
        public static final int BASE = 0;
        public static final int LEN = 8;
        public static final int BYTES = 16;

        private IoVec() {}
    }

    /** {@code struct msghdr}. */
    public static final class MsgHdr {
        public static final int NAME = 0;
        public static final int IOV = 16;
        public static final int IOVLEN = 24;
        public static final int CONTROL = 32;
        public static final int CONTROLLEN = 40;
        public static final int FLAGS = 48;
        public static final int BYTES = 56;

        private MsgHdr() {}
    }

    /** {@code struct cmsghdr}; messages are aligned to 8 bytes. */
    public static final class CMsgHdr {
        public static final int LEN = 0;
        public static final int LEVEL = 8;
        public static final int TYPE = 12;
        public static final int DATA = 16;
        public static final int ALIGNMENT = 8;

        private CMsgHdr() {}
    }

    private Posix() {}
}
