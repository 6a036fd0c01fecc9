// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.Errors;
import dev.ferry.cli.Json;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationService;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.threadio.ThreadIO;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/**
 * Runs what a command line says: given the arguments, returns the exit status of the process. Called once, on the main
 * thread of the process, after all bundles were started.
 */
@Component(service = ToIntFunction.class, property = "ferry.runner:Boolean=true")
public final class Runner implements ToIntFunction<String[]>, BooleanSupplier, AutoCloseable {

    private static final int FAILED = 1;
    private static final int USAGE = 2;
    private static final Duration UNWOUND_WITHIN = Duration.ofSeconds(2);

    private final BundleContext context;
    private final CommandProcessor processor;
    private final ThreadIO threads;
    private final ProcessStreams streams = ProcessStreams.open();
    private final ConfigurationAdmin configurations;
    private final ServiceComponentRuntime components;
    private final Ending ending = new Ending(streams, this::underWay, UNWOUND_WITHIN);
    /** Null while there is none. */
    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile MigrationService migrations;

    /** Made by Declarative Services once there is a shell. */
    @Activate
    public Runner(
            BundleContext context,
            @Reference CommandProcessor processor,
            @Reference ThreadIO threads,
            @Reference ConfigurationAdmin configurations,
            @Reference ServiceComponentRuntime components) {
        this.context = context;
        this.processor = processor;
        this.threads = threads;
        this.configurations = configurations;
        this.components = components;
    }

    @Override
    public int applyAsInt(String[] arguments) {
        // Commands print results to the System.out of their thread; for all other threads that is no place for them.
        threads.setStreams(streams.in(), streams.out(), streams.err());
        try {
            return delivered(ending.after(() -> run(List.of(arguments))));
        } finally {
            streams.flush();
            threads.close();
            ending.done();
        }
    }

    /**
     * Interrupts what runs and waits, at most {@link #UNWOUND_WITHIN}, until it has put things back, see {@link
     * Ending#now}. Called by the launcher on a thread of its own when the process is asked to end.
     */
    @Override
    public void close() {
        ending.now();
    }

    private List<Migration> underWay() {
        MigrationService service = migrations;
        return service == null ? List.of() : service.migrations();
    }

    /**
     * Ctrl-C at a prompt: interrupts the command that was typed, and the shell goes on.
     *
     * @return false where that does not help: there is no prompt, or the command was interrupted before
     */
    @Override
    public boolean getAsBoolean() {
        return ending.command();
    }

    // A result that never arrived is no success.
    private int delivered(int status) {
        streams.out().flush();
        return streams.lost().map(reason -> complain("cannot write the result: " + reason, FAILED)).orElse(status);
    }

    private int run(List<String> arguments) {
        // Of the VFIO devices those hear who ask for devices.
        Unresolved.bundles(context).stream()
                .filter(bundle -> !VfioAvailability.isAbout(bundle))
                .forEach(bundle -> complain("all works but the bundle %s, which %s"
                        .formatted(bundle.getSymbolicName(), Unresolved.why(context, bundle)), 0));
        try {
            CommandLineOptions options = CommandLineOptions.parse(arguments);
            if (options.version()) {
                streams.out().println("ferry " + context.getBundle().getVersion());
                return 0;
            }
            start(options.bundles());
            CommandDirectory commands = CommandDirectory.of(context);
            if (options.help() && options.command().isEmpty()) {
                streams.out().print(Usage.text(commands));
                return 0;
            }
            return run(options, commands);
        } catch (CommandLineOptions.Misuse e) {
            if (arguments.contains("--json")) {
                JsonObject document = new JsonObject();
                document.add("error", Errors.usage(e.getMessage()));
                streams.out().println(Json.print(document));
            }
            return complain(e.getMessage() + " (usage: ferry --help)", USAGE);
        } catch (IOException e) {
            return complain(Errors.sentence(e), FAILED);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return complain("interrupted before it was done", FAILED);
        }
    }

    /** What they print while they start is no result of a command. */
    private void start(List<Path> bundles) throws IOException {
        threads.setStreams(streams.in(), streams.err(), streams.err());
        try {
            ExtraBundles.start(context, bundles);
        } finally {
            threads.close();
        }
    }

    private int run(CommandLineOptions options, CommandDirectory commands)
            throws IOException, InterruptedException, CommandLineOptions.Misuse {
        if (options.command().isEmpty()) {
            List<String> missing = configure(options);
            // Commands say themselves what they cannot do without; a shell is good for finding out why.
            missing.forEach(clause -> complain(clause, 0));
            if (options.script().isPresent() && !missing.isEmpty()) {
                return FAILED;
            }
            try (ShellSession session = session(options)) {
                return options.script().isPresent()
                        ? session.script(options.script().get())
                        : session.interact();
            }
        }
        return runOne(options, commands);
    }

    private ShellSession session(CommandLineOptions options) {
        ShellSession made =
                new ShellSession(processor, () -> CommandDirectory.of(context), streams, options.debug());
        ending.of(made.interrupts());
        return made;
    }

    private int runOne(CommandLineOptions options, CommandDirectory commands)
            throws IOException, InterruptedException, CommandLineOptions.Misuse {
        String name = options.command().get(0);
        if (!commands.has(name)) {
            throw new CommandLineOptions.Misuse(
                    "there is no command '" + name + "'; the commands are " + commands.names());
        }
        List<String> arguments = new ArrayList<>(options.command().subList(1, options.command().size()));
        if (options.help()) {
            arguments.add("--help");
        }
        boolean onlyHelp = arguments.contains("--help") || arguments.contains("-h");
        if (commands.needsDevices(name) && !onlyHelp) {
            List<String> missing = configure(options);
            if (!missing.isEmpty()) {
                missing.forEach(clause -> complain(clause, 0));
                return FAILED;
            }
        }
        try (ShellSession session = session(options)) {
            return session.command(name, arguments);
        }
    }

    private List<String> configure(CommandLineOptions options) throws IOException, InterruptedException {
        return new Preparation(context, configurations, components, clause -> complain(clause, 0))
                .run(options.configuration());
    }

    private int complain(String sentence, int status) {
        streams.err().println("ferry: " + sentence);
        return status;
    }
}
