// SPDX-License-Identifier: Apache-2.0
package com.example.card;

import dev.ferry.device.MigrationDriver;
import java.util.Hashtable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Registers two cards: {@code card/a}, which holds something, and {@code card/b}, which is empty. */
public final class Activator implements BundleActivator {

    @Override
    public void start(BundleContext context) {
        register(context, "a", new Card("what the card holds"));
        register(context, "b", new Card(""));
    }

    private static void register(BundleContext context, String name, Card card) {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put(MigrationDriver.DEVICE_ID, "card/" + name);
        properties.put(MigrationDriver.DEVICE_TYPE, "example-card");
        properties.put(MigrationDriver.BACKEND, "example");
        properties.put(MigrationDriver.HOST, "here");
        context.registerService(MigrationDriver.class, card, properties);
    }

    @Override
    public void stop(BundleContext context) {
        // The framework unregisters the services, and Ferry puts their devices in order before that returns.
    }
}
