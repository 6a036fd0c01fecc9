// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.launch;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;

/** The bundles that lie in the runnable jar, in its folder {@code bundles/}. */
final class BundleSet {

    private static final String FOLDER = "bundles/";

    /** Names of the entries, in the order of the jar, which the build keeps sorted. */
    List<String> names() throws IOException {
        try (JarFile jar = new JarFile(location().toFile())) {
            return jar.stream()
                    .map(ZipEntry::getName)
                    .filter(name -> name.startsWith(FOLDER) && name.endsWith(".jar"))
                    .toList();
        }
    }

    /** The bytes of one bundle; the caller closes. */
    InputStream open(String name) throws IOException {
        InputStream jar = BundleSet.class.getResourceAsStream("/" + name);
        if (jar == null) {
            throw new FileNotFoundException("the runnable jar has lost " + name);
        }
        return jar;
    }

    private static Path location() throws IOException {
        try {
            return Path.of(BundleSet.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IOException("the runnable jar cannot be found", e);
        }
    }
}
