// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.record;

import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.RecordType;
import java.util.Hashtable;
import java.util.List;
import java.util.function.Supplier;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Registers the record type; the bundle's manifest says whether its records are optional or mandatory. */
public final class Activator implements BundleActivator {
    private static final int TAG = 0x7001;

    /** Property of the {@link Supplier} which gives the payloads that were loaded. */
    private static final String ROLE = "ferry.itest";

    @Override
    public void start(BundleContext context) {
        boolean optional =
                "optional".equals(context.getBundle().getHeaders().get("Ferry-Test-Variant"));
        NotesRecord type = new NotesRecord(optional ? RecordHeader.FLAG_OPTIONAL : 0);
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put(RecordType.TAG, TAG);
        type.registeredAs(context.registerService(RecordType.class, type, properties));
        Hashtable<String, Object> role = new Hashtable<>();
        role.put(ROLE, "notes");
        Supplier<List<String>> loaded = type::loaded;
        context.registerService(Supplier.class, loaded, role);
        Runnable withdraw = type::withdrawAtNextSave;
        context.registerService(Runnable.class, withdraw, role);
    }

    @Override
    public void stop(BundleContext context) {
        // The framework unregisters the services.
    }
}
