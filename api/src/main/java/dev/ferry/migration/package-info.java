// SPDX-License-Identifier: Apache-2.0
/**
 * What a management server calls to migrate devices, and what it implements to let the guest move with them.
 *
 * <p>Two readers: the server calls {@link dev.ferry.migration.MigrationService} and implements {@link
 * dev.ferry.migration.Guest}, {@link dev.ferry.migration.GuestMemory} and {@link dev.ferry.migration.MigrationListener}
 * (import {@code [1.0,2)}); {@code fsm-core} implements the service (import {@code [1.0,1.1)}).
 */
@Export
@Version("1.0.0")
package dev.ferry.migration;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
