// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;

/** The bundles that the command line names: a vendor's driver, for example, beside those of the application. */
final class ExtraBundles {

    private ExtraBundles() {}

    /**
     * Installs all of them, then starts one after the other, so that they may need each other.
     *
     * @throws IOException a sentence about the first one that is no bundle, or does not start
     */
    static void start(BundleContext context, List<Path> files) throws IOException {
        Map<Path, Bundle> installed = new LinkedHashMap<>();
        for (Path file : files) {
            installed.put(file, install(context, file));
        }
        for (Map.Entry<Path, Bundle> each : installed.entrySet()) {
            start(context, each.getKey(), each.getValue());
        }
    }

    private static Bundle install(BundleContext context, Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("there is no bundle file " + file + "; build it, or correct --bundle");
        }
        Bundle bundle;
        try (InputStream jar = Files.newInputStream(file)) {
            bundle = context.installBundle(file.toUri().toString(), jar);
        } catch (BundleException e) {
            throw refused(file, e.getType() == BundleException.DUPLICATE_BUNDLE_ERROR
                    ? "has the name and the version of a bundle that is here already; give it another version"
                    : "is no bundle: " + reason(e), e);
        }
        // The framework takes any archive, for the sake of bundles from before there were such names.
        if (bundle.getSymbolicName() == null) {
            throw refused(file, "is no bundle: its manifest has no " + Constants.BUNDLE_SYMBOLICNAME
                    + "; build it with bnd, for example", null);
        }
        return bundle;
    }

    private static void start(BundleContext context, Path file, Bundle bundle) throws IOException {
        try {
            bundle.start();
        } catch (BundleException e) {
            throw refused(file, bundle.getState() == Bundle.INSTALLED
                    ? Unresolved.why(context, bundle)
                    : "does not start: " + reason(e), e);
        }
    }

    private static IOException refused(Path file, String why, BundleException cause) {
        return new IOException("the bundle file " + file + " " + why, cause);
    }

    /** What the bundle's own code, or the archive, has failed with says more than the framework. */
    private static String reason(BundleException failed) {
        Throwable cause = failed.getCause();
        return cause == null ? failed.getMessage() : cause.toString();
    }
}
