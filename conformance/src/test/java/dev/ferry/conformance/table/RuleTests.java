// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.platform.commons.support.ReflectionSupport;

/** The test methods of this module, by the rule that they are about. */
final class RuleTests {

    private static final String PACKAGE = "dev.ferry.conformance";

    private RuleTests() {}

    /** Every method with a rule, whether or not it is run this time. */
    static Map<String, List<Method>> byRule() {
        return ReflectionSupport.findAllClassesInPackage(PACKAGE, type -> true, name -> true).stream()
                .flatMap(type -> Stream.of(type.getDeclaredMethods()))
                .filter(method -> method.isAnnotationPresent(Rule.class))
                .collect(Collectors.groupingBy(RuleTests::rule, TreeMap::new, Collectors.toList()));
    }

    static String rule(Method method) {
        return method.getAnnotation(Rule.class).value();
    }

    /** Class and method, as in a report of the test runner. */
    static String name(Method method) {
        return method.getDeclaringClass().getSimpleName() + "." + method.getName();
    }

    /** Whether the name begins with the rule: {@code d12ShortBuffers…}. */
    static boolean isNamedAfterItsRule(Method method) {
        String rule = rule(method).toLowerCase(Locale.ROOT);
        String name = method.getName();
        return name.startsWith(rule)
                && name.length() > rule.length()
                && Character.isUpperCase(name.charAt(rule.length()));
    }
}
