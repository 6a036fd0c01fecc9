// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import dev.ferry.configuration.ConfigurationOutcome;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/** As much of a framework as a component needs that registers services. */
final class FakeFramework {

    /** One service that is or was registered. */
    static final class Service implements ServiceRegistration<Object> {
        final List<String> names;
        final Object object;
        Dictionary<?, ?> properties;
        boolean registered = true;
        /** Called before the service goes and before its properties change, as a service listener is. */
        Runnable listener = () -> {};

        private Service(String[] names, Object object, Dictionary<?, ?> properties) {
            this.names = List.of(names);
            this.object = object;
            this.properties = properties;
        }

        @Override
        public ServiceReference<Object> getReference() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setProperties(Dictionary<String, ?> changed) {
            properties = changed;
            listener.run();
        }

        @Override
        public void unregister() {
            listener.run();
            registered = false;
        }
    }

    private final List<Service> all = new ArrayList<>();

    final BundleContext context = (BundleContext) Proxy.newProxyInstance(
            getClass().getClassLoader(), new Class<?>[] {BundleContext.class}, (proxy, method, arguments) -> {
                if (!method.getName().equals("registerService")) {
                    throw new UnsupportedOperationException(method.getName());
                }
                String[] names = arguments[0] instanceof Class<?> type
                        ? new String[] {type.getName()}
                        : (String[]) arguments[0];
                Service service = new Service(names, arguments[1], (Dictionary<?, ?>) arguments[2]);
                all.add(service);
                return service;
            });

    /** The adapters that are registered now. */
    List<Service> services() {
        return all.stream()
                .filter(service -> service.registered && !(service.object instanceof ConfigurationOutcome))
                .toList();
    }

    /** What is answered to configurations now. */
    List<ConfigurationOutcome> outcomes() {
        return all.stream()
                .filter(service -> service.registered && service.object instanceof ConfigurationOutcome)
                .map(service -> (ConfigurationOutcome) service.object)
                .toList();
    }

    /** The only adapter. */
    Service service() {
        if (services().size() != 1) {
            throw new AssertionError("not one service but " + services().size());
        }
        return services().get(0);
    }
}
