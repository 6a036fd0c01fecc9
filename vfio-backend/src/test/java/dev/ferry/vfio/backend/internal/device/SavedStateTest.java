// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamInspection.Part;
import dev.ferry.stream.StreamInspection.Record;
import dev.ferry.stream.vfio.internal.VfioStateReader;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is saved here is read by the bundle that reads it for {@code inspect}. */
class SavedStateTest extends DriverFixture {

    private StreamInspection inspected() throws Exception {
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(4096));
        VfioStateReader reader = new VfioStateReader();
        assertThat(reader.recognizes(ByteBuffer.wrap(state))).isTrue();
        return reader.inspect(Channels.newChannel(new ByteArrayInputStream(state)));
    }

    @ParameterizedTest
    @ValueSource(ints = {5, Integer.MAX_VALUE})
    void shouldBeReadWhenItIsOfAPciDevice(int shortRead) throws Exception {
        fake.shortRead = shortRead;

        StreamInspection found = inspected();

        assertThat(found.fault()).isEmpty();
        assertThat(found.records()).extracting(Record::name).startsWith("DATA").endsWith("CONFIG", "END");
        assertThat(found.records().get(found.records().size() - 2).parts())
                .extracting(Part::name, Part::value)
                .contains(tuple("VENDOR_ID", "0x1af4"));
    }

    @ParameterizedTest
    @ValueSource(ints = {5, Integer.MAX_VALUE})
    void shouldBeReadWhenItIsOfAnotherDevice(int shortRead) throws Exception {
        fake.pci = false;
        fake.shortRead = shortRead;
        driver.close();
        driver = new VfioDriver(device, Abilities.of(device), Optional.empty(), () -> waitMillis);

        StreamInspection found = inspected();

        assertThat(found.fault()).isEmpty();
        assertThat(found.records()).extracting(Record::name).startsWith("DATA").endsWith("DATA", "END");
    }
}
