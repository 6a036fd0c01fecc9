// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionReset;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.service.cm.Configuration;

/** One adapter as it is deployed, by its services only. */
public final class Adapter {

    /** Everything that the device offers to the SR-IOV group, without the legacy interface. */
    public static final long ALL_PARTS_OPCODES = 0x3FF83L;
    /** The list commands and the capability commands. */
    public static final long ALL_SELF_OPCODES = 0x383L;
    /** As many objects as a device can have. */
    public static final int MOST_OBJECTS = 255;

    private static final int PARTS_SPACE = 1 << 16;

    private final String ownerId;
    private final Configuration configuration;
    private final Map<String, Object> values;
    private final Framework framework;
    private final AdminPort port;

    Adapter(Framework framework, String ownerId, Configuration configuration, Map<String, Object> values) {
        this.framework = framework;
        this.ownerId = ownerId;
        this.configuration = configuration;
        this.values = values;
        this.port = new AdminPort(framework.await(AdminQueue.class, filter()));
    }

    private String filter() {
        return "(" + AdminQueue.OWNER_ID + "=" + ownerId + ")";
    }

    /** The admin queue. */
    public AdminPort admin() {
        return port;
    }

    /** The adapter as guest and network see it. */
    public EmulatedAdapter device() {
        return framework.await(EmulatedAdapter.class, filter());
    }

    /** The PCI function of a VF. */
    public PciFunction function(int member) {
        return device().function(member);
    }

    /** The cable of a VF. */
    public NetworkPort cable(int member) {
        return device().port(member);
    }

    /** Resets VFs from the host. */
    public FunctionReset functionReset() {
        return framework.await(FunctionReset.class, filter());
    }

    /** Takes everything into use that parts need, with the largest limits; for both groups, so that it fits always. */
    public Adapter ready() {
        return ready(MOST_OBJECTS, MOST_OBJECTS);
    }

    /** The same with these limits. */
    public Adapter ready(int getLimit, int setLimit) {
        port.accept(Commands.listUse(Commands.SR_IOV, ALL_PARTS_OPCODES));
        port.accept(Commands.listUse(Commands.SELF, ALL_SELF_OPCODES));
        port.accept(Commands.driverCapSet(getLimit, setLimit));
        return this;
    }

    /** All parts of a VF, by an object that is there. */
    public List<Part> parts(int member, long object) {
        return Part.read(port.accept(Commands.getAll(member, object), PARTS_SPACE).result());
    }

    /** All parts of a VF, by an object that lives for this question alone. */
    public List<Part> parts(int member) {
        long object = MOST_OBJECTS - 1;
        port.accept(Commands.create(member, object, Commands.GET));
        List<Part> parts = parts(member, object);
        port.accept(Commands.destroy(member, object));
        return parts;
    }

    /** One part of a VF. */
    public Part part(int member, String name) {
        return parts(member).stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("there is no part " + name));
    }

    /** Stops a VF, again while the device asks for that: a driver may take long over an interrupt. */
    public void stop(int member) {
        Answer answer = Framework.Waiting.until("a stop of VF " + member, () -> Optional.of(
                port.send(Commands.stop(member))).filter(one -> one.status() != Commands.EAGAIN));
        assertThat(answer.hex()).as("answer to a stop").isEqualTo(Hex.plain(Commands.OK));
    }

    /** Lets a VF run again. */
    public void resume(int member) {
        port.expect(Commands.resume(member), Commands.OK);
    }

    /** Changes the number of VFs, as the host's administrator does. */
    public void resize(int members) throws IOException {
        Map<String, Object> changed = new HashMap<>(values);
        changed.put("members", members);
        configuration.update(Framework.dictionary(changed));
        Framework.Waiting.untilTrue(members + " members of " + ownerId, () -> device().members() == members);
    }

    /** Resource objects that live. */
    public int objects() {
        return device().resourceObjects();
    }

    void delete() throws IOException {
        configuration.delete();
        Framework.Waiting.untilTrue(
                ownerId + " is gone", () -> framework.services(AdminQueue.class, filter()).isEmpty());
    }

    /** Fails unless no object lives. */
    public void expectNoObjects() {
        assertThat(objects()).as("resource objects").isZero();
    }
}
