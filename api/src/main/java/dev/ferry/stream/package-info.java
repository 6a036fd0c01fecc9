// SPDX-License-Identifier: Apache-2.0
/**
 * How a device's state looks as bytes: records with size, flags and tag, the stream format that frames them, and the
 * record types that understand them.
 *
 * <p>Two readers: a vendor adds a {@link dev.ferry.stream.RecordType} or a {@link dev.ferry.stream.StreamFormat}
 * (import {@code [1.0,2)}); a driver uses the format (import {@code [1.0,2)}) and implements {@link
 * dev.ferry.stream.RecordDevice}.
 */
@Export
@Version("1.0.0")
package dev.ferry.stream;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
