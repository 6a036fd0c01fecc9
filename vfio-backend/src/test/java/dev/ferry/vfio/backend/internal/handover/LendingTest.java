// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that are handed over through real sockets, and given back. */
class LendingTest extends HandoverFixture {
    /** How many descriptors of this process are the test's file, and whether all are closed on exec. */
    private List<Path> descriptorsOfFile() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(this::isFile).toList();
        }
    }

    private boolean isFile(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).equals(file);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    @Test
    void shouldTakeADeviceForAsLongAsTheConnectionLives() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).isEqualTo("ok host9/" + DEVICE);
            calls.close(fd);
            assertThat(lent.element().space()).isEmpty();
            assertThat(descriptorsOfFile()).singleElement().satisfies(received -> assertThat(
                    Files.readString(Path.of("/proc/self/fdinfo", received.getFileName().toString())))
                    .containsPattern("flags:\\s+0?2[0-7]{6,}"));
        }
        assertThat(letGo.poll(20, TimeUnit.SECONDS)).isEqualTo(DEVICE);
        assertThat(takenBack).isEmpty();
        assertThat(descriptorsOfFile()).isEmpty();
    }

    @Test
    void shouldGiveADeviceBackWhenAsked() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE + " container", fd, fd)).startsWith("ok");
            assertThat(lent.element().space().orElseThrow()).isInstanceOf(ContainerSpace.class);
            assertThat(client.ask("ferry-vfio 1 return")).isEqualTo("ok");
            assertThat(takenBack).containsExactly(DEVICE);
            assertThat(descriptorsOfFile()).hasSize(1);
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE + " iommufd 8", fd, fd)).startsWith("ok");
            assertThat(((IommufdSpace) lent.element().space().orElseThrow()).pageTable())
                    .isEqualTo(new IommufdSpace.Tracking(8));
        }
        calls.close(fd);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "hello", "ferry-vfio 2 lend 0000:3b:00.2", "ferry-vfio 1 lend", "ferry-vfio 1 lend ../x",
        "ferry-vfio 1 steal x",
        "ferry-vfio 1 lend 0000:3b:00.2 container", "ferry-vfio 1 lend 0000:3b:00.2 iommufd", "ferry-vfio 1 return now",
        "ferry-vfio 1 lend 0000:3b:00.2 iommufd 99999999999"
    })
    void shouldRefuseWhatItDoesNotUnderstandAndKeepNothing(String message) throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask(message, fd)).startsWith("refused EINVAL ");
            assertThat(descriptorsOfFile()).as("the client's own").hasSize(1);
        }
        calls.close(fd);
        assertThat(lent).isEmpty();
    }

    @Test
    void shouldRefuseADeviceThatIsNotThereAndPassOnRefusals() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend 0000:99:00.0", fd))
                    .isEqualTo("refused ENODEV there is no PCI function or mediated device 0000:99:00.0 in this host; "
                            + "correct the name");
        }
        refuses = true;
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).isEqualTo("refused EOPNOTSUPP told to refuse");
        }
        calls.close(fd);
        assertThat(descriptorsOfFile()).isEmpty();
    }

    @Test
    void shouldTellThatADeviceHasNoDriver() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        Files.delete(folder.resolve("sys/bus/pci/devices").resolve(DEVICE).resolve("driver"));
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).isEqualTo("refused ENODEV " + DEVICE
                    + " is bound to no driver; bind it to a VFIO driver (driver_override, drivers_probe in "
                    + "/sys/bus/pci)");
        }
        calls.close(fd);
        assertThat(descriptorsOfFile()).isEmpty();
    }

    @Test
    void shouldRefuseMessagesThatAreTooLongOrHaveTooManyDescriptors() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("x".repeat(300), fd)).startsWith("refused EINVAL the message is too long");
        }
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd, fd, fd, fd, fd, fd, fd))
                    .startsWith("refused EINVAL");
        }
        calls.close(fd);
        assertThat(descriptorsOfFile()).isEmpty();
    }

    @Test
    void shouldSayWhyADeviceCannotBeGivenBackYet() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            keeps = true;
            assertThat(client.ask("ferry-vfio 1 return")).isEqualTo("refused ETIMEDOUT told to keep it");
            assertThat(client.hear()).as("the connection ends").isEmpty();
        }
        calls.close(fd);
        assertThat(letGo).as("it is on its way already").isEmpty();
    }

    /** A VMM returns all of its devices while a migration of one of them is undone. */
    @Test
    void shouldAnswerAndLetInOthersWhileADeviceIsOnItsWayBack() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient first = new HandoverClient(calls, socket);
                HandoverClient second = new HandoverClient(calls, socket)) {
            assertThat(first.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            assertThat(second.ask("ferry-vfio 1 lend " + OTHER, fd)).startsWith("ok");
            onTheWay = DEVICE;
            first.tell("ferry-vfio 1 return");
            assertThat(takenBack.poll(20, TimeUnit.SECONDS)).isEqualTo(DEVICE);

            assertThat(second.ask("ferry-vfio 1 return")).isEqualTo("ok");
            try (HandoverClient third = new HandoverClient(calls, socket)) {
                assertThat(third.ask("ferry-vfio 1 lend " + OTHER, fd)).startsWith("ok");
            }
            assertThat(first.isAnswered()).isFalse();

            first.tell("ferry-vfio 1 lend " + DEVICE, fd);
            onTheWay = "";
            assertThat(first.hear()).isEqualTo("ok");
            assertThat(first.hear()).as("heard when the device has arrived").startsWith("ok ");
        }
        calls.close(fd);
    }

    @Test
    void shouldLetGoOfAConnectionThatEndsWhileItsDeviceIsOnItsWayBack() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        onTheWay = DEVICE;
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            client.tell("ferry-vfio 1 return");
            assertThat(takenBack.poll(20, TimeUnit.SECONDS)).isEqualTo(DEVICE);
        }
        onTheWay = "";
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
        }
        calls.close(fd);
    }

    @Test
    void shouldGiveBackWhatIsLentWhenItStops() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            calls.close(fd);
            server.close();
            assertThat(letGo).containsExactly(DEVICE);
            assertThat(descriptorsOfFile()).isEmpty();
        }
    }

    /** Whoever waits for his device must not take the end for an answer. */
    @Test
    void shouldSayThatADeviceHasNotArrivedWhenItStops() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        onTheWay = DEVICE;
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            client.tell("ferry-vfio 1 return");
            assertThat(takenBack.poll(20, TimeUnit.SECONDS)).isEqualTo(DEVICE);
            server.close();
            assertThat(client.hear()).isEqualTo("refused ETIMEDOUT told to keep it");
            assertThat(client.hear()).as("the end").isEmpty();
        }
        calls.close(fd);
        assertThat(letGo).as("it is on its way already").isEmpty();
    }

    @Test
    void shouldServeOthersWhenServingOneFails() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient other = new HandoverClient(calls, socket);
                HandoverClient lender = new HandoverClient(calls, socket)) {
            assertThat(lender.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            breaks = true;
            assertThat(lender.ask("ferry-vfio 1 return")).as("the connection ends").isEmpty();
            try (HandoverClient second = new HandoverClient(calls, socket)) {
                assertThat(second.ask("ferry-vfio 1 lend " + DEVICE, fd)).as("the connection ends").isEmpty();
            }
            assertThat(descriptorsOfFile()).as("the client's own").hasSize(1);
            breaks = false;
            assertThat(other.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
        }
        calls.close(fd);
        assertThat(takenBack.poll(20, TimeUnit.SECONDS)).isEqualTo(DEVICE);
        assertThat(letGo.poll(20, TimeUnit.SECONDS)).isEqualTo(DEVICE);
    }

    @Test
    void shouldRefuseADescriptorOfAnotherDevice() throws Exception {
        Files.writeString(folder.resolve("sys/bus/pci/devices").resolve(DEVICE).resolve("device"), "0x1042\n");
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).isEqualTo("refused EINVAL the descriptor is of "
                    + "another device than " + DEVICE + ": of 1af4:1041, not of 1af4:1042");
            assertThat(descriptorsOfFile()).as("the client's own").hasSize(1);
        }
        calls.close(fd);
        assertThat(lent).isEmpty();
    }
}
