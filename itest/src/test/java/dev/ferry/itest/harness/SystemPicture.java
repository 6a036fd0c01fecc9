// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/**
 * What a system of Ferry bundles consists of, as text: services with their properties, components, devices. Immutable.
 * Knows no type of Ferry's.
 *
 * @param lines sorted
 */
public record SystemPicture(Set<String> lines) {
    /** Numbers that are given in the order of arrival and mean nothing. */
    private static final Set<String> NUMBERS =
            Set.of("service.id", "service.bundleid", "component.id", "service.changecount");

    private static final String EXERCISER = "(ferry.itest=exerciser)";
    private static final String ADAPTER = "dev.ferry.emulator.control.EmulatedAdapter";
    private static final String OUTCOME = "dev.ferry.configuration.ConfigurationOutcome";
    private static final String LEGACY_IO = "dev.ferry.legacy.LegacyIo";

    /**
     * The picture once all components are satisfied, there are so many devices, all of them with legacy I/O, which
     * comes after the device, and the configuration of each adapter is answered, which comes after its services.
     */
    public static SystemPicture whenSettled(BundleContext context, int devices) throws Exception {
        Await.service(context, Function.class, EXERCISER);
        Await.until(
                context,
                devices + " devices, all with legacy I/O, and all components satisfied",
                () -> Components.unsatisfied(context).isEmpty()
                        && devices(context).size() == devices
                        && services(context, LEGACY_IO).size() == devices
                        && areAnswered(context),
                () -> Components.report(context) + "\n" + String.join("\n", of(context).lines()));
        return of(context);
    }

    private static boolean areAnswered(BundleContext context) throws InvalidSyntaxException {
        List<ServiceReference<?>> adapters = services(context, ADAPTER);
        return !adapters.isEmpty()
                && services(context, OUTCOME).stream()
                        .filter(outcome -> adapters.get(0).getBundle().equals(outcome.getBundle()))
                        .count() == adapters.size();
    }

    private static List<ServiceReference<?>> services(BundleContext context, String type)
            throws InvalidSyntaxException {
        ServiceReference<?>[] found = context.getAllServiceReferences(type, null);
        return found == null ? List.of() : List.of(found);
    }

    /** The picture now. */
    public static SystemPicture of(BundleContext context) {
        Set<String> lines = new TreeSet<>(devices(context));
        Components.names(context).forEach(name -> lines.add("component " + name));
        for (Bundle bundle : context.getBundles()) {
            if (bundle.getSymbolicName().startsWith("dev.ferry.") && bundle.getRegisteredServices() != null) {
                for (ServiceReference<?> service : bundle.getRegisteredServices()) {
                    lines.add("service of " + bundle.getSymbolicName() + " " + properties(service));
                }
            }
        }
        return new SystemPicture(lines);
    }

    /** What is in one picture only. */
    public String difference(SystemPicture other) {
        List<String> text = new ArrayList<>();
        lines.stream().filter(line -> !other.lines.contains(line)).forEach(line -> text.add("only before: " + line));
        other.lines.stream().filter(line -> !lines.contains(line)).forEach(line -> text.add("only now: " + line));
        return String.join("\n", text);
    }

    @SuppressWarnings("unchecked")
    private static Collection<String> devices(BundleContext context) {
        try {
            Collection<ServiceReference<Function<String, Object>>> exercisers = new ArrayList<>();
            for (ServiceReference<?> found : context.getServiceReferences(Function.class, EXERCISER)) {
                exercisers.add((ServiceReference<Function<String, Object>>) found);
            }
            if (exercisers.isEmpty()) {
                return List.of();
            }
            Function<String, Object> exerciser =
                    context.getService(exercisers.iterator().next());
            String text = (String) exerciser.apply("devices");
            return text.isEmpty() ? List.of() : List.of(text.split("\n"));
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String properties(ServiceReference<?> service) {
        TreeMap<String, String> sorted = new TreeMap<>();
        for (String key : service.getPropertyKeys()) {
            if (!NUMBERS.contains(key)) {
                Object value = service.getProperty(key);
                sorted.put(key, value instanceof Object[] array ? Arrays.toString(array) : String.valueOf(value));
            }
        }
        return sorted.toString();
    }
}
