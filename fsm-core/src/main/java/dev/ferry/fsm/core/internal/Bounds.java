// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

/**
 * The bounds and defaults of the {@link Configuration}, in the units of its keys: what tools are told and what {@link
 * ConfiguredSettings} keeps to.
 */
final class Bounds {

    static final int LEAST_DRAIN = 1;
    static final int MOST_DRAIN = 300;
    static final int DEFAULT_DRAIN = 10;

    static final int LEAST_CHUNK = 4;
    static final int MOST_CHUNK = 16 * 1024;
    static final int DEFAULT_CHUNK = 256;

    static final int LEAST_SPOOL_MEMORY = 0;
    static final int MOST_SPOOL_MEMORY = 1024;
    static final int DEFAULT_SPOOL_MEMORY = 64;

    static final int LEAST_SPOOL_FILE = 0;
    static final int MOST_SPOOL_FILE = 1024 * 1024;
    static final int DEFAULT_SPOOL_FILE = 16 * 1024;

    static final int LEAST_PARALLEL = 1;
    static final int MOST_PARALLEL = 256;
    static final int DEFAULT_PARALLEL = 16;

    static final int LEAST_OUTGOING = 1;
    static final int MOST_OUTGOING = 256;
    static final int DEFAULT_OUTGOING = 16;

    static final int LEAST_INCOMING = 1;
    static final int MOST_INCOMING = 256;
    static final int DEFAULT_INCOMING = 16;

    static final int LEAST_THREADS = 1;
    static final int MOST_THREADS = 256;
    static final int DEFAULT_THREADS = 64;

    static final int LEAST_BITMAP = 1;
    static final int MOST_BITMAP = 1024;
    static final int DEFAULT_BITMAP = 256;

    static final int LEAST_REPORTS = 1;
    static final int MOST_REPORTS = 10_000;
    static final int DEFAULT_REPORTS = 100;

    private Bounds() {}
}
