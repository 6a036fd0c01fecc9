// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.record;

import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamInspection;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.framework.ServiceRegistration;

/** A vendor's record: a numbered note with each image of a device. */
final class NotesRecord implements RecordType {
    private final int flags;
    private final List<String> loaded = new CopyOnWriteArrayList<>();
    private volatile ServiceRegistration<RecordType> registration;
    private volatile boolean withdrawAtNextSave;
    private int saved;

    NotesRecord(int flags) {
        this.flags = flags;
    }

    void registeredAs(ServiceRegistration<RecordType> service) {
        registration = service;
    }

    List<String> loaded() {
        return List.copyOf(loaded);
    }

    /** So that a record is in the stream and nobody is there to load it. */
    void withdrawAtNextSave() {
        withdrawAtNextSave = true;
    }

    @Override
    public String name() {
        return "VENDOR_NOTES";
    }

    @Override
    public int flags() {
        return flags;
    }

    @Override
    public synchronized Optional<ByteBuffer> save(RecordDevice device) {
        if (withdrawAtNextSave) {
            withdrawAtNextSave = false;
            registration.unregister();
        }
        saved++;
        return Optional.of(ByteBuffer.wrap(("note " + saved).getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public void load(ByteBuffer payload, RecordDevice device) {
        loaded.add(text(payload));
    }

    @Override
    public void describe(ByteBuffer payload, List<StreamInspection.Part> found) {
        found.add(new StreamInspection.Part(0, 0, "NOTE", 0, 0, payload.remaining(), text(payload)));
    }

    private static String text(ByteBuffer payload) {
        return StandardCharsets.UTF_8.decode(payload.duplicate()).toString();
    }
}
