// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationService;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.channels.Channels;

/** Saved device states in memory. */
public final class Saved {
    private Saved() {}

    /** The state of a device. */
    public static byte[] of(MigrationService migrations, String device) throws MigrationException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        migrations.save(device, Channels.newChannel(bytes));
        return bytes.toByteArray();
    }

    /** Loads a state into a device. */
    public static void restore(MigrationService migrations, String device, byte[] saved) throws MigrationException {
        migrations.restore(device, Channels.newChannel(new ByteArrayInputStream(saved)));
    }
}
