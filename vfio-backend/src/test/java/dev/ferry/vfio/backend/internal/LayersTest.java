// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/** Numbers, system calls, driver: each layer knows those before it only, and native code is the second's alone. */
@AnalyzeClasses(packagesOf = LayersTest.class, importOptions = ImportOption.DoNotIncludeTests.class)
class LayersTest {
    private static final String UAPI = "..internal.uapi..";
    private static final String SYS = "..internal.sys..";

    @ArchTest
    static final ArchRule SHOULD_HAVE_NUMBERS_THAT_NEED_NOTHING =
            classes().that().resideInAPackage(UAPI).should().onlyDependOnClassesThat()
                    .resideInAnyPackage(UAPI, "java.lang..", "org.osgi.annotation..");

    @ArchTest
    static final ArchRule SHOULD_HAVE_SYSTEM_CALLS_THAT_KNOW_NO_DRIVER =
            classes().that().resideInAPackage(SYS).should().onlyDependOnClassesThat()
                    .resideInAnyPackage(SYS, UAPI, "java..", "org.osgi.annotation..");

    @ArchTest
    static final ArchRule SHOULD_CALL_NATIVE_CODE_IN_ONE_LAYER_ALONE =
            noClasses().that().resideOutsideOfPackage(SYS).should().dependOnClassesThat()
                    .belongToAnyOf(Linker.class, SymbolLookup.class);

    @ArchTest
    static final ArchRule SHOULD_REACH_NO_MEMORY_BY_ITS_ADDRESS_ELSEWHERE =
            noClasses().that().resideOutsideOfPackage(SYS)
                    .should().callMethod(MemorySegment.class, "ofAddress", long.class)
                    .orShould().callMethod(MemorySegment.class, "reinterpret", long.class);
}
