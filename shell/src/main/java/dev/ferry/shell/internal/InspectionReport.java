// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.Errors;
import dev.ferry.cli.TextTable;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.StreamInspection;
import java.math.BigInteger;
import java.util.Optional;

/** What was found in a stream, as a document and as text; numbers are unsigned, as they stand in the stream. */
record InspectionReport(StreamInspection inspection) {

    Optional<StreamInspection.Fault> fault() {
        return inspection.fault();
    }

    JsonObject document() {
        JsonObject document = new JsonObject();
        document.addProperty("format", inspection.format());
        document.addProperty("valid", inspection.isValid());
        JsonArray records = new JsonArray();
        inspection.records().forEach(found -> records.add(document(found)));
        document.add("records", records);
        fault().ifPresent(fault -> {
            JsonObject error = Errors.document(Failure.of(FailureCode.STREAM_REFUSED, fault.message()));
            error.addProperty("offset", fault.offset());
            document.add("error", error);
        });
        return document;
    }

    private static JsonObject document(StreamInspection.Record found) {
        JsonObject document = new JsonObject();
        RecordHeader header = found.header();
        document.addProperty("offset", found.offset());
        document.addProperty("size", new BigInteger(Long.toUnsignedString(header.size())));
        document.addProperty("flags", Integer.toUnsignedLong(header.flags()));
        document.addProperty("tag", Integer.toUnsignedLong(header.tag()));
        document.addProperty("name", found.name());
        JsonArray parts = new JsonArray();
        found.parts().forEach(part -> parts.add(document(part)));
        document.add("parts", parts);
        return document;
    }

    private static JsonObject document(StreamInspection.Part part) {
        JsonObject document = new JsonObject();
        document.addProperty("offset", part.offset());
        document.addProperty("type", part.type());
        document.addProperty("name", part.name());
        document.addProperty("flags", part.flags());
        document.addProperty("selector", new BigInteger(Long.toUnsignedString(part.selector())));
        document.addProperty("length", part.length());
        document.addProperty("value", part.value());
        return document;
    }

    String text() {
        StringBuilder text = new StringBuilder("format %s: %s, records: %d\n".formatted(
                inspection.format() == null ? "unknown" : inspection.format(),
                inspection.isValid() ? "valid" : "malformed",
                inspection.records().size()));
        inspection.records().forEach(found -> append(found, text));
        return text.toString();
    }

    private static void append(StreamInspection.Record found, StringBuilder text) {
        RecordHeader header = found.header();
        text.append("\nrecord at %d: %s, tag %d, flags 0x%x (%s), %s bytes\n".formatted(
                found.offset(),
                found.name(),
                Integer.toUnsignedLong(header.tag()),
                header.flags(),
                header.isOptional() ? "optional" : "mandatory",
                Long.toUnsignedString(header.size())));
        if (found.parts().isEmpty()) {
            return;
        }
        TextTable parts = new TextTable("  OFFSET", "TYPE", "NAME", "FLAGS", "SELECTOR", "LENGTH", "VALUE");
        for (StreamInspection.Part part : found.parts()) {
            parts.row(
                    "  " + part.offset(),
                    "0x%x".formatted(part.type()),
                    part.name(),
                    "0x%x".formatted(part.flags()),
                    "0x%x".formatted(part.selector()),
                    Long.toString(part.length()),
                    part.value());
        }
        text.append(parts);
    }
}
