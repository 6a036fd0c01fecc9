// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.configuration.ConfiguredValue;
import dev.ferry.stream.RecordDecoder;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordEncoder;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamFormat;
import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stream of the Linux virtio-net VF driver: records one behind the other, without a header, version or end mark.
 *
 * <p>Record types come and go while sessions are open; a session uses those that are there when a record is made or
 * arrives. A change of configuration holds for sessions opened after it, and does not restart the service, so no
 * migration notices. Thread-safe.
 *
 * @see <a href="https://docs.kernel.org/driver-api/vfio.html">Linux: drivers/vfio/pci/virtio/migrate.c</a>
 */
@Component(
        // So that a record type that claims the tag of an image is refused when it comes, not when it is needed.
        immediate = true,
        service = {StreamFormat.class, StreamReader.class},
        configurationPid = VirtiovfConfiguration.PID,
        property = {StreamReader.NAME + "=" + VirtiovfFormat.FORMAT_NAME, StreamReader.VERSION + ":Integer=1"})
@Designate(ocd = VirtiovfConfiguration.class)
public final class VirtiovfFormat implements StreamFormat {
    private static final Logger LOG = LoggerFactory.getLogger(VirtiovfFormat.class);
    private static final ConfigurationKeys KEYS = ConfigurationKeys.of(VirtiovfConfiguration.class);

    /** The name of the format. */
    static final String FORMAT_NAME = "virtiovf";

    private final RecordTypes types = new RecordTypes();
    private final ConfiguredValue<Long> maxRecordBytes = ConfiguredValue.between(
            VirtiovfConfiguration.PID,
            "max.record.bytes",
            VirtiovfConfiguration.DEFAULT_MAX_RECORD_BYTES,
            VirtiovfConfiguration.LEAST_MAX_RECORD_BYTES,
            VirtiovfConfiguration.MOST_MAX_RECORD_BYTES,
            LOG::error);

    /** Called by Declarative Services. */
    @Activate
    public VirtiovfFormat(VirtiovfConfiguration configuration, Map<String, Object> properties) {
        modified(configuration, properties);
    }

    /** A format without a framework, with the default limit; for benchmarks and tests. */
    public VirtiovfFormat() {}

    /** Takes a changed configuration; called by Declarative Services. */
    @Modified
    void modified(VirtiovfConfiguration configuration, Map<String, Object> properties) {
        KEYS.tellUnknown(VirtiovfConfiguration.PID, properties.keySet(), LOG::warn);
        maxRecordBytes.update(configuration::max_record_bytes);
    }

    /** A record type was deployed; called by Declarative Services. */
    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addRecordType(RecordType type, Map<String, Object> properties) {
        types.add(type, properties);
    }

    /** The properties of a record type changed; called by Declarative Services. */
    void updatedRecordType(RecordType type, Map<String, Object> properties) {
        types.add(type, properties);
    }

    /** A record type leaves; called by Declarative Services. */
    void removeRecordType(RecordType type, Map<String, Object> properties) {
        types.remove(properties);
    }

    @Override
    public RecordEncoder encoder(RecordDevice device) {
        return new VirtiovfEncoder(device, rules());
    }

    @Override
    public RecordDecoder decoder(RecordDevice device) {
        return new VirtiovfDecoder(device, rules());
    }

    @Override
    public StreamInspection inspect(ReadableByteChannel from) throws IOException {
        return new StreamInspector(from, rules()).inspect();
    }

    /**
     * The format has no magic number, so signs are counted: a size that may be, flags that are known, a tag that is
     * known. Two of the three suffice, so that a stream damaged in one field is still recognized and can be inspected.
     */
    @Override
    public boolean recognizes(ByteBuffer head) {
        ByteBuffer padded = ByteBuffer.allocate(RecordHeader.BYTES);
        int length = Math.min(head.remaining(), RecordHeader.BYTES);
        padded.put(0, head, head.position(), length);
        RecordHeader header = RecordHeader.decode(padded);
        boolean sizeMayBe = Long.compareUnsigned(header.size(), VirtiovfConfiguration.MOST_MAX_RECORD_BYTES) <= 0;
        if (length < RecordHeader.BYTES) {
            return sizeMayBe;
        }
        boolean flagsKnown = (header.flags() & ~RecordHeader.FLAG_OPTIONAL) == 0;
        boolean tagKnown = RecordHeader.isImageTag(header.tag())
                || types.find(header.tag()).isPresent();
        return sizeMayBe ? flagsKnown || tagKnown : flagsKnown && tagKnown;
    }

    private RecordRules rules() {
        return new RecordRules(types, maxRecordBytes.get());
    }
}
