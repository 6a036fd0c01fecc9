// SPDX-License-Identifier: Apache-2.0
/**
 * The legacy interface of member devices that have none by themselves.
 *
 * <p>One reader: a hypervisor or management server calls it (import {@code [1.0,2)}). Migration does not need it.
 */
@Export
@Version("1.0.0")
package dev.ferry.legacy;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
