// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.contract.FaultyDriver.Call;
import dev.ferry.contract.FaultyDriver.Fault;
import dev.ferry.device.MigrationDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A contract that no driver could break would be worth nothing: drivers with one fault each, and what is found. */
class ContractCatchesTest {
    private static final Fault NONE = Call::proceed;

    @TestFactory
    Stream<DynamicTest> shouldFindAFault() {
        return Faults.all().entrySet().stream()
                .map(fault -> DynamicTest.dynamicTest(fault.getKey(), () -> {
                    List<String> expected = fault.getValue().found();
                    assertThat(failures(fault.getValue().fault(), expected))
                            .containsExactlyInAnyOrderElementsOf(expected);
                }));
    }

    @Test
    void shouldFindNothingInADriverThatIsRight() throws Exception {
        assertThat(failures(NONE, names())).isEmpty();
    }

    @Test
    void shouldHaveAFaultForEveryCheck() throws Exception {
        Set<String> caught = new TreeSet<>();
        for (Map.Entry<String, Faults.Found> fault : Faults.all().entrySet()) {
            caught.addAll(fault.getValue().found());
        }
        assertThat(caught).containsExactlyInAnyOrderElementsOf(new TreeSet<>(names()));
    }

    private List<String> names() throws Exception {
        return contract(NONE).stream().map(Check::name).toList();
    }

    private List<Check> contract(Fault fault) throws Exception {
        return new DriverContract(() -> new Faulty(fault)).checks();
    }

    /** Of some checks, those that fail. */
    private List<String> failures(Fault fault, List<String> names) throws Exception {
        List<String> failures = new ArrayList<>();
        for (Check check : contract(NONE)) {
            if (names.contains(check.name()) && fails(contract(fault), check.name())) {
                failures.add(check.name());
            }
        }
        return failures;
    }

    private static boolean fails(List<Check> checks, String name) {
        Check check = checks.stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow();
        try {
            check.run();
            return false;
        } catch (Exception | AssertionError e) {
            return true;
        }
    }

    private record Faulty(MigrationDriver source, MigrationDriver destination) implements DriverSubject {
        Faulty(Fault fault) {
            this(FaultyDriver.of(new MemoryDriver(), fault), FaultyDriver.of(new MemoryDriver(), fault));
        }
    }
}
