// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/** The rule that a test method is about; its name begins with the rule. What comes of it goes to the table. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ResultWatcher.class)
public @interface Rule {

    /** D1 to D56 for devices, R1 to R23 for drivers. */
    String value();
}
