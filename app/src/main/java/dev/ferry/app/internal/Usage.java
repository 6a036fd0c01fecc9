// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

/** The help of the application. */
final class Usage {

    private Usage() {}

    static String text(CommandDirectory commands) {
        return """
                Usage: ferry [OPTION...] COMMAND [ARGUMENT...]
                       ferry [OPTION...] -c "COMMAND; COMMAND"
                       ferry [OPTION...]

                The first form runs one command, the second several, up to the first that fails; the third reads
                commands from standard input. Results go to standard output, progress, logs and errors to standard
                error. Exit status: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C, 143 by a signal to terminate.

                Commands (for details: `ferry COMMAND --help`):
                %s
                Options:
                  -c TEXT        run the commands in TEXT
                  --config FILE  configuration of the bundles (JSON, OSGi Configurator) from FILE,
                                 instead of the default, which makes two emulated hosts
                  --bundle FILE  start the bundle in FILE, too, a vendor's driver for example;
                                 may be given several times
                  --debug        log everything; print the stack traces of errors
                  --version      print the version
                  -h, --help     print this help
                """
                .formatted(commands.lines());
    }
}
