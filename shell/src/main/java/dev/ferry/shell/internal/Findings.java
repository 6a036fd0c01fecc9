// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.Errors;
import dev.ferry.migration.Finding;
import java.util.List;
import java.util.stream.Collectors;

/** Findings of a check, for scripts and for people. */
final class Findings {

    private Findings() {}

    static JsonArray document(List<Finding> findings) {
        JsonArray documents = new JsonArray();
        for (Finding finding : findings) {
            JsonObject document = new JsonObject();
            document.addProperty("code", finding.code().name());
            document.addProperty("device", finding.device());
            document.addProperty("message", Errors.withCommand(finding.message()));
            documents.add(document);
        }
        return documents;
    }

    /** One line per finding, code first. */
    static String text(List<Finding> findings) {
        return findings.stream()
                .map(finding -> finding.code() + ": " + Errors.withCommand(finding.message()))
                .collect(Collectors.joining("\n"));
    }
}
