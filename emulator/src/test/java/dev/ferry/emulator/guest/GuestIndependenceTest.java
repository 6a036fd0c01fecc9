// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packagesOf = VirtioNetGuest.class, importOptions = ImportOption.DoNotIncludeTests.class)
class GuestIndependenceTest {

    /** The guest sees a device as an operating system does: nothing of its inside. */
    @ArchTest
    static final ArchRule SHOULD_USE_THE_DEVICE_THROUGH_THE_CONTROL_PACKAGE_ALONE = classes()
            .that()
            .resideInAPackage("dev.ferry.emulator.guest..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "dev.ferry.emulator.guest..",
                    "dev.ferry.emulator.control..",
                    "dev.ferry.migration..",
                    "dev.ferry.device",
                    "dev.ferry.virtio..",
                    "org.osgi.annotation..",
                    "org.slf4j..",
                    "java..");
}
