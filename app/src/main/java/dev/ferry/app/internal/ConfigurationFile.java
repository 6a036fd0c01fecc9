// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Configurations as a JSON resource of the OSGi Configurator: an object whose keys are {@code PID} or {@code
 * FACTORY-PID~NAME} and whose values are objects of properties.
 *
 * <p>Property values are strings, booleans and numbers, and arrays of them; a key may name the type behind a colon, as
 * in {@code "members:Integer"} or {@code "users:Integer[]"}. Keys that begin with {@code :configurator:} say something
 * about the resource and are passed over.
 *
 * @see <a href="https://docs.osgi.org/specification/osgi.cmpn/8.0.0/service.configurator.html">OSGi Compendium 8,
 *     Configurator Service Specification</a>
 */
final class ConfigurationFile {

    private static final String DEFAULT = "/default-configuration.json";
    private static final String ABOUT = ":configurator:";
    private static final String ARRAY = "[]";
    private static final long MOST_BYTES = 1 << 20;

    private ConfigurationFile() {}

    /** Reads a file, or the default configuration where none is named. */
    static List<Configuration> read(Optional<Path> file) throws IOException {
        if (file.isEmpty()) {
            try (InputStream resource = ConfigurationFile.class.getResourceAsStream(DEFAULT)) {
                return parse(new String(resource.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
        if (Files.size(file.get()) > MOST_BYTES) {
            throw new IOException("the configuration " + file.get() + " is larger than " + MOST_BYTES + " bytes");
        }
        try (Reader reader = Files.newBufferedReader(file.get())) {
            return parse(JsonParser.parseReader(reader));
        } catch (JsonParseException | IllegalArgumentException e) {
            throw new IOException("the configuration " + file.get() + " cannot be used: " + reason(e), e);
        }
    }

    /** The parser puts the class name of the cause before its message, and advice for programmers on further lines. */
    private static String reason(RuntimeException error) {
        Throwable told = error.getCause() instanceof IOException cause ? cause : error;
        return String.valueOf(told.getMessage()).lines().findFirst().orElse("it is not JSON");
    }

    /**
     * Reads a text.
     *
     * @throws IllegalArgumentException when it is not such a resource
     */
    static List<Configuration> parse(String text) {
        return parse(JsonParser.parseString(text));
    }

    private static List<Configuration> parse(JsonElement document) {
        List<Configuration> configurations = new ArrayList<>();
        for (Map.Entry<String, JsonElement> entry : object(document, "the document").entrySet()) {
            if (!entry.getKey().startsWith(ABOUT)) {
                configurations.add(configuration(entry.getKey(), entry.getValue()));
            }
        }
        Adapters.requireOwnIds(configurations);
        return configurations;
    }

    private static Configuration configuration(String key, JsonElement value) {
        int tilde = key.indexOf('~');
        Map<String, Object> properties = new HashMap<>();
        for (Map.Entry<String, JsonElement> property : object(value, key).entrySet()) {
            String typed = property.getKey();
            if (typed.startsWith(ABOUT)) {
                continue;
            }
            int colon = typed.indexOf(':');
            properties.put(
                    colon < 0 ? typed : typed.substring(0, colon),
                    value(key + ", " + typed, colon < 0 ? "" : typed.substring(colon + 1), property.getValue()));
        }
        return tilde < 0
                ? new Configuration(key, "", properties)
                : new Configuration(key.substring(0, tilde), key.substring(tilde + 1), properties);
    }

    private static Object value(String where, String type, JsonElement element) {
        if (element instanceof JsonArray array && (type.isEmpty() || type.endsWith(ARRAY))) {
            String each = type.isEmpty() ? type : type.substring(0, type.length() - ARRAY.length());
            return array.asList().stream().map(one -> scalar(where, each, one)).toList();
        }
        return scalar(where, type, element);
    }

    private static Object scalar(String where, String type, JsonElement element) {
        if (!(element instanceof JsonPrimitive value)) {
            throw new IllegalArgumentException(
                    where + " must be a string, a boolean or a number, or an array of them");
        }
        try {
            return typed(where, type, value);
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException(
                    "%s is no %s: %s".formatted(where, type.isEmpty() ? "Long" : type, value.getAsString()), e);
        }
    }

    private static Object typed(String where, String type, JsonPrimitive value) {
        return switch (type) {
            case "" -> untyped(value);
            case "String" -> value.getAsString();
            case "Boolean", "boolean" -> value.getAsBoolean();
            case "Integer", "int" -> value.getAsBigDecimal().intValueExact();
            case "Long", "long" -> value.getAsBigDecimal().longValueExact();
            case "Double", "double" -> value.getAsDouble();
            default -> throw new IllegalArgumentException(where + " has a type that is not supported here: " + type);
        };
    }

    private static Object untyped(JsonPrimitive value) {
        if (value.isBoolean()) {
            return value.getAsBoolean();
        }
        if (!value.isNumber()) {
            return value.getAsString();
        }
        BigDecimal number = value.getAsBigDecimal();
        return number.stripTrailingZeros().scale() <= 0 ? (Object) number.longValueExact() : number.doubleValue();
    }

    private static JsonObject object(JsonElement element, String what) {
        if (element instanceof JsonObject object) {
            return object;
        }
        throw new IllegalArgumentException(what + " must be a JSON object");
    }
}
