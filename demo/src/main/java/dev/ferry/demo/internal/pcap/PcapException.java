// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.pcap;

import java.io.IOException;

/** A file is not a capture that can be used; the message is one sentence that says why and where. */
public final class PcapException extends IOException {
    private static final long serialVersionUID = 1L;

    /** One sentence. */
    public PcapException(String message) {
        super(message);
    }
}
