// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.nio.file.Path;

/** The bundles under test, as the build left them. Usable inside and outside the framework. */
public enum FerryBundle {
    API("dev.ferry.api"),
    FSM_CORE("dev.ferry.fsm.core"),
    STREAM_VIRTIOVF("dev.ferry.stream.virtiovf"),
    STREAM_VFIO("dev.ferry.stream.vfio"),
    VIRTIO_NET_PROVIDER("dev.ferry.virtio.net.provider"),
    VIRTIO_CONTEXT_PROVIDER("dev.ferry.virtio.context.provider"),
    VFIO_BACKEND("dev.ferry.vfio.backend"),
    VIRTIO_LEGACY_IO("dev.ferry.virtio.legacy.io"),
    EMULATOR("dev.ferry.emulator"),
    SHELL("dev.ferry.shell"),
    DEMO("dev.ferry.demo"),
    APP("dev.ferry.app");

    private final String symbolicName;

    FerryBundle(String symbolicName) {
        this.symbolicName = symbolicName;
    }

    /** Its symbolic name, which is also its artifact id. */
    public String symbolicName() {
        return symbolicName;
    }

    /** Where it lies. */
    public Path file() {
        return Path.of(System.getProperty("ferry.bundles"), symbolicName + ".jar");
    }

    /** Where it is installed from. */
    public String location() {
        return file().toUri().toString();
    }
}
