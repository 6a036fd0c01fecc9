// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.options.CompositeOption;
import org.ops4j.pax.exam.options.UrlProvisionOption;

/** What a Pax Exam container is made of. Runs outside the framework; every bundle list is a method with a name. */
public final class Container {
    private static final int LOGGING_START_LEVEL = 1;

    private Container() {}

    /** The services of the framework and all Ferry bundles, started. */
    public static Option[] ferry() {
        return new Option[] {composite(services()), composite(ferryBundles())};
    }

    /** The services of the framework; the test installs Ferry bundles itself. */
    public static Option[] withoutFerry() {
        return new Option[] {composite(services())};
    }

    private static Option[] services() {
        return new Option[] {
            junitBundles(), assertions(), logging(), frameworkServices(),
            systemProperty("logback.configurationFile").value(testResource("logback-itest.xml")),
            systemProperty("ferry.itest.log").value(logFile())
        };
    }

    private static CompositeOption frameworkServices() {
        return composite(Stream.of(
                        "org.osgi.util.function",
                        "org.osgi.util.promise",
                        "org.osgi.service.component",
                        "org.apache.felix.log",
                        "org.apache.felix.configadmin",
                        "org.apache.felix.metatype",
                        "org.apache.felix.eventadmin",
                        "org.apache.felix.gogo.runtime",
                        "org.apache.felix.scr")
                .map(Container::library)
                .toArray(Option[]::new));
    }

    /** SPI Fly must run before logback and slf4j-api are used: it mediates the provider lookup of SLF4J 2. */
    private static CompositeOption logging() {
        return composite(Stream.of(
                        "asm",
                        "asm-tree",
                        "asm-analysis",
                        "asm-commons",
                        "asm-util",
                        "org.apache.aries.spifly.dynamic.bundle",
                        "slf4j-api",
                        "logback-core",
                        "logback-classic")
                .map(name -> library(name).startLevel(LOGGING_START_LEVEL))
                .toArray(Option[]::new));
    }

    private static CompositeOption assertions() {
        return composite(library("byte-buddy"), library("assertj-core"));
    }

    private static Option[] ferryBundles() {
        return Stream.of(FerryBundle.values())
                .map(ferry -> bundle(ferry.location()))
                .toArray(Option[]::new);
    }

    private static UrlProvisionOption library(String name) {
        return bundle(Path.of(System.getProperty("ferry.bundles"), name + ".jar").toUri().toString());
    }

    private static String testResource(String name) {
        return Path.of(System.getProperty("ferry.testClasses"), name).toString();
    }

    private static String logFile() {
        return Path.of(System.getProperty("ferry.bundles")).resolveSibling("itest.log").toString();
    }
}
