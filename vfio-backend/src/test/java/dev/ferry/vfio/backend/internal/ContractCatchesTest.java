// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.contract.Check;
import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A contract that no driver could break would be worth nothing: drivers with one fault each, and what is found. */
class ContractCatchesTest {

    /** Another answer than the driver's. */
    @FunctionalInterface
    private interface Fault {
        Object answer(String method, Object[] arguments, Object right) throws Exception;
    }

    @TempDir
    private Path folder;

    private List<String> failures(Fault fault) throws Exception {
        List<String> failures = new ArrayList<>();
        for (Check check : new DriverContract(() -> new Faulty(fault)).checks()) {
            try {
                check.run();
            } catch (Exception | AssertionError e) {
                failures.add(check.name());
            }
        }
        return failures;
    }

    @Test
    void shouldFindNothingInADriverThatIsRight() throws Exception {
        assertThat(failures((method, arguments, right) -> right)).isEmpty();
    }

    @Test
    void shouldFindAStateThatIsNotTold() throws Exception {
        assertThat(failures((method, arguments, right) -> right == DeviceState.STOP ? DeviceState.RUNNING_P2P : right))
                .contains("RUNNING_P2P_TO_STOP leads to STOP");
    }

    @Test
    void shouldFindASessionThatIsNotGiven() throws Exception {
        assertThat(failures((method, arguments, right) ->
                        arguments != null && arguments[0] == Arc.RUNNING_TO_PRE_COPY ? Optional.empty() : right))
                .contains("RUNNING_TO_PRE_COPY leads to PRE_COPY");
    }

    @Test
    void shouldFindASessionThatOutlivesItsState() throws Exception {
        assertThat(failures((method, arguments, right) -> method.equals("step") ? immortal((Optional<?>) right) : right))
                .contains("a session that ended is dead", "PRE_COPY can be given up at any time");
    }

    private static Optional<?> immortal(Optional<?> opened) {
        return opened.map(session -> session instanceof SavingSession saving
                ? Proxy.newProxyInstance(
                        ContractCatchesTest.class.getClassLoader(),
                        new Class<?>[] {SavingSession.class},
                        (proxy, method, arguments) -> {
                            try {
                                return method.invoke(saving, arguments);
                            } catch (InvocationTargetException e) {
                                return method.getName().equals("read") ? 0 : null;
                            }
                        })
                : session);
    }

    @Test
    void shouldFindRefusalsOfAnotherKind() throws Exception {
        assertThat(failures((method, arguments, right) -> {
                    if (right instanceof Exception) {
                        throw new IllegalStateException("not as agreed");
                    }
                    return right;
                }))
                .contains("no state at all is refused", "an incomplete state is refused, and a reset leads out");
    }

    private final class Faulty implements DriverSubject {
        private final DriverSubject right;
        private final Fault fault;

        Faulty(Fault fault) throws Exception {
            right = new ContractTest.Subject(folder.resolve("host"), 7, false, false, false);
            this.fault = fault;
        }

        @Override
        public MigrationDriver source() {
            return faulty(right.source());
        }

        @Override
        public MigrationDriver destination() {
            return faulty(right.destination());
        }

        private MigrationDriver faulty(MigrationDriver driver) {
            return (MigrationDriver) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {MigrationDriver.class}, (proxy, method, arguments) -> {
                        Object answer;
                        try {
                            answer = method.invoke(driver, arguments);
                        } catch (InvocationTargetException e) {
                            fault.answer(method.getName(), arguments, e.getCause());
                            throw e.getCause();
                        }
                        return fault.answer(method.getName(), arguments, answer);
                    });
        }

        @Override
        public void close() {
            right.close();
        }
    }
}
