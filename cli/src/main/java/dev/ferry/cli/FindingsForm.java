// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.migration.Finding;
import java.util.List;
import java.util.stream.Collectors;

/** Findings of a check, or of a migration that they ended, for scripts and for people. */
public final class FindingsForm {

    private FindingsForm() {}

    /** An array of documents with the keys {@code code}, {@code device} and {@code message}. */
    public static JsonArray document(List<Finding> findings) {
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
    public static String text(List<Finding> findings) {
        return findings.stream()
                .map(finding -> finding.code() + ": " + Errors.withCommand(finding.message()))
                .collect(Collectors.joining("\n"));
    }
}
