// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.ArrayList;
import java.util.List;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

/** Says which components do not work, and what they miss. */
final class Unsatisfied {

    private Unsatisfied() {}

    /** A clause per component that waits for a service or failed to start. */
    static List<String> of(ServiceComponentRuntime components) {
        List<String> clauses = new ArrayList<>();
        for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs()) {
            for (ComponentConfigurationDTO configuration : components.getComponentConfigurationDTOs(component)) {
                if (configuration.state == ComponentConfigurationDTO.FAILED_ACTIVATION) {
                    clauses.add("component " + component.name + " failed: "
                            + configuration.failure.lines().findFirst().orElse("without a word"));
                }
                for (UnsatisfiedReferenceDTO reference : configuration.unsatisfiedReferences) {
                    clauses.add("component " + component.name + " waits for its reference " + reference.name
                            + (reference.target == null ? "" : " " + reference.target));
                }
            }
        }
        return clauses;
    }
}
