// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes bundles of packages of the tests, each from the classes of one package and a few bundles to compile against, as
 * somebody elsewhere would build his own. {@link #make} runs outside the framework, the rest anywhere.
 */
public enum TestBundle {
    /** A record type that a receiver may skip. */
    OPTIONAL_RECORD("dev.ferry.itest.record", "optional", FerryBundle.API),
    /** A record type that a receiver must know. */
    MANDATORY_RECORD("dev.ferry.itest.record", "mandatory", FerryBundle.API),
    /** Migrates and drives guests for tests that must not be wired to the bundles they replace. */
    EXERCISER("dev.ferry.itest.exerciser", "", FerryBundle.API, FerryBundle.EMULATOR);

    /** Manifest header for the bundle's own use: the part of its name after the package. */
    public static final String VARIANT = "Ferry-Test-Variant";

    private final String packageName;
    private final String variant;
    private final List<FerryBundle> compiledAgainst;

    TestBundle(String packageName, String variant, FerryBundle... compiledAgainst) {
        this.packageName = packageName;
        this.variant = variant;
        this.compiledAgainst = List.of(compiledAgainst);
    }

    /** Its symbolic name. */
    public String symbolicName() {
        return variant.isEmpty() ? packageName : packageName + "." + variant;
    }

    /** Where it is installed from. */
    public String location() {
        return file().toUri().toString();
    }

    private Path file() {
        return Path.of(System.getProperty("ferry.testBundles"), symbolicName() + ".jar");
    }

    /** Builds the bundle; an activator named {@code Activator} in the package is used, components are found. */
    public void make() throws Exception {
        Path classes = Path.of(System.getProperty("ferry.testClasses"));
        List<File> classPath = new ArrayList<>(List.of(classes.toFile()));
        compiledAgainst.forEach(bundle -> classPath.add(bundle.file().toFile()));
        try (Builder builder = new Builder()) {
            builder.setClasspath(classPath.toArray(File[]::new));
            builder.setBundleSymbolicName(symbolicName());
            builder.setBundleVersion("1.0.0");
            builder.setPrivatePackage(packageName);
            builder.setProperty(VARIANT, variant.isEmpty() ? "none" : variant);
            if (Files.exists(classes.resolve(packageName.replace('.', '/') + "/Activator.class"))) {
                builder.setProperty("Bundle-Activator", packageName + ".Activator");
            }
            Jar jar = builder.build();
            if (!builder.getErrors().isEmpty()) {
                throw new IllegalStateException(symbolicName() + " cannot be built: " + builder.getErrors());
            }
            Files.createDirectories(file().getParent());
            jar.write(file().toFile());
        }
    }
}
