// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandRun;
import dev.ferry.stream.StreamReader;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.osgi.service.component.annotations.CollectionType;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The command inspect, which needs no device. Thread-safe. */
@Component(
        service = InspectCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=inspect",
            "ferry.command.summary=inspect:" + InspectCommand.SUMMARY
        })
public final class InspectCommands {

    @Reference(
            service = StreamReader.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            collectionType = CollectionType.TUPLE)
    private volatile List<Map.Entry<Map<String, Object>, StreamReader>> readers = List.of();

    /** Command {@code inspect}. */
    public void inspect(String... arguments) {
        CommandRun.of(new InspectCommand(this::readers), arguments);
    }

    // By name, the newest version of a name first, so that the same file is read by the same format every time.
    private List<StreamReader> readers() {
        return readers.stream()
                .sorted(Comparator.comparing((Map.Entry<Map<String, Object>, StreamReader> service) ->
                                String.valueOf(service.getKey().get(StreamReader.NAME)))
                        .thenComparing(service -> -version(service.getKey())))
                .map(Map.Entry::getValue)
                .toList();
    }

    private static int version(Map<String, Object> properties) {
        return properties.get(StreamReader.VERSION) instanceof Number number ? number.intValue() : 0;
    }
}
