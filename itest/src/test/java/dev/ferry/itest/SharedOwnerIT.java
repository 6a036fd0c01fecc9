// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.FerryIT;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionAccess;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/** All bundles that drive owner devices follow the same one, and only one of them changes its lists of commands. */
@ExamReactorStrategy(PerClass.class)
public class SharedOwnerIT extends FerryIT {
    private static final String REAL = "host1/pf0";
    private static final String WATCHED = "host9/pf0";
    private static final int LIST_USE = 1;
    private static final int SELF = 0;
    private static final int SR_IOV = 1;
    private static final int GROUP_OFFSET = 2;

    private static final List<FerryBundle> BUNDLES = List.of(
            FerryBundle.VIRTIO_NET_PROVIDER, FerryBundle.VIRTIO_CONTEXT_PROVIDER, FerryBundle.VIRTIO_LEGACY_IO);
    private static final List<String> DRIVING = BUNDLES.stream().map(FerryBundle::symbolicName).toList();

    /** The owner device under another name, with a look at every command. */
    private static final class Watched implements AdminQueue, FunctionAccess {
        private final AdminQueue queue;
        private final FunctionAccess functions;
        /** Of each bundle, which knows of its own commands only. */
        private final Map<Bundle, AtomicInteger> pending = new ConcurrentHashMap<>();
        /** So many commands each bundle has sent. */
        private final Map<Bundle, AtomicInteger> sent = new ConcurrentHashMap<>();
        /** The group of each LIST_USE, and how many commands of the same bundle were pending then. */
        private final List<String> listUses = new CopyOnWriteArrayList<>();

        private Watched(AdminQueue queue) {
            this.queue = queue;
            this.functions = (FunctionAccess) queue;
        }

        @Override
        public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
            ByteBuffer header = readable[0].slice().order(ByteOrder.LITTLE_ENDIAN);
            Bundle sender = sender();
            AtomicInteger pendingOfSender = pending.computeIfAbsent(sender, any -> new AtomicInteger());
            int before = pendingOfSender.getAndIncrement();
            if (header.getShort(0) == LIST_USE) {
                listUses.add(listUse(header.getShort(GROUP_OFFSET), before));
            }
            return queue.submit(readable, writable).whenComplete((used, failure) -> {
                pendingOfSender.decrementAndGet();
                sent.computeIfAbsent(sender, any -> new AtomicInteger()).incrementAndGet();
            });
        }

        /** Each bundle has a copy of its own of what sends commands. */
        private static Bundle sender() {
            return StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                    .walk(frames -> frames.map(frame -> FrameworkUtil.getBundle(frame.getDeclaringClass()))
                            .filter(bundle -> bundle != null && DRIVING.contains(bundle.getSymbolicName()))
                            .findFirst()
                            .orElseThrow());
        }

        private int sent(Bundle sender) {
            return Optional.ofNullable(sent.get(sender)).map(AtomicInteger::get).orElse(0);
        }

        private static String listUse(int group, int pending) {
            return "group %d behind %d".formatted(group, pending);
        }

        @Override
        public long readConfig(long member, int offset, int size) throws DeviceException {
            return functions.readConfig(member, offset, size);
        }

        @Override
        public void writeConfig(long member, int offset, int size, long value) throws DeviceException {
            functions.writeConfig(member, offset, size, value);
        }

        @Override
        public long barSize(long member, int bar) throws DeviceException {
            return functions.barSize(member, bar);
        }

        @Override
        public void writeBar(long member, int bar, long offset, int size, long value) throws DeviceException {
            functions.writeBar(member, bar, offset, size, value);
        }
    }

    /** Drives an owner of a command set, with every other bundle replaced meanwhile. */
    private void expectListUses(String commands, FerryBundle driving, String... expected) throws Exception {
        adapters.create(Map.of("host", "host1", "name", "pf0", "members", 1, "commands", commands));
        Watched watched = new Watched(Await.service(context, AdminQueue.class, "(ferry.owner.id=" + REAL + ")"));
        ServiceRegistration<AdminQueue> registration = context.registerService(
                AdminQueue.class,
                watched,
                new Hashtable<>(Map.of(
                        AdminQueue.OWNER_ID, WATCHED,
                        AdminQueue.HOST, "host9",
                        AdminQueue.MEMBERS, 1,
                        AdminQueue.MEMBER_TYPE, "virtio-net")));
        try {
            Await.service(context, MigrationDriver.class, "(ferry.owner.id=" + WATCHED + ")");
            for (FerryBundle other : BUNDLES) {
                if (other != driving) {
                    Bundle bundle = bundles.get(other);
                    awaitCommandsBehind(0, watched, bundle);
                    bundle.stop();
                    int before = watched.sent(bundle);
                    bundle.start();
                    awaitCommandsBehind(before, watched, bundle);
                }
            }
            Await.service(context, MigrationDriver.class, "(ferry.owner.id=" + WATCHED + ")");
            assertThat(watched.listUses).containsExactly(expected);
        } finally {
            registration.unregister();
        }
    }

    /** Each bundle asks the owner first which commands it has; so it is not stopped, or looked at, before that. */
    private void awaitCommandsBehind(int before, Watched watched, Bundle bundle) throws Exception {
        Await.until(context, "commands of " + bundle, () -> watched.sent(bundle) > before);
    }

    @Test
    public void shouldHaveOneDriverSendListUseWhenTheOwnerSpeaksDeviceParts() throws Exception {
        expectListUses(
                "parts",
                FerryBundle.VIRTIO_NET_PROVIDER,
                Watched.listUse(SR_IOV, 0),
                Watched.listUse(SELF, 0));
    }

    @Test
    public void shouldHaveOneDriverSendListUseWhenTheOwnerSpeaksTheContext() throws Exception {
        expectListUses("context", FerryBundle.VIRTIO_CONTEXT_PROVIDER, Watched.listUse(SR_IOV, 0));
    }
}
