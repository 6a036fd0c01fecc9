// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.time.Duration;

/** How documents are printed, and values that all documents write alike. */
public final class Json {

    private static final double NANOS_PER_MILLI = 1e6;
    private static final double DECIMALS = 1e3;

    private Json() {}

    /** One document over several lines, keys in the order they were added, nulls written. */
    public static String print(JsonElement document) {
        Gson gson = new GsonBuilder()
                .setPrettyPrinting()
                .serializeNulls()
                .disableHtmlEscaping()
                .create();
        return gson.toJson(document);
    }

    /** Milliseconds with three decimals, as documents give times. */
    public static double millis(Duration duration) {
        return Math.round(duration.toNanos() / NANOS_PER_MILLI * DECIMALS) / DECIMALS;
    }

    /** An array of the names of enum constants. */
    public static JsonArray names(Iterable<? extends Enum<?>> constants) {
        JsonArray names = new JsonArray();
        constants.forEach(constant -> names.add(constant.name()));
        return names;
    }
}
