// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

/**
 * What a session runs now, and what becomes of it when somebody interrupts. The thread of the session tells what begins
 * and ends; any thread interrupts.
 */
final class Interrupts {

    private final Runnable nothingRuns;
    /** Interrupts what runs now; null when nothing does. */
    private volatile Runnable interrupting;
    private volatile boolean interrupted;
    /** Whether somebody types at a prompt. */
    private volatile boolean atPrompt;
    /** Whether what runs ends when its thread is interrupted; once, after that it was. */
    private boolean interruptible;

    /**
     * Nothing runs.
     *
     * @param nothingRuns what Ctrl-C does at a prompt where nothing runs
     */
    Interrupts(Runnable nothingRuns) {
        this.nothingRuns = nothingRuns;
    }

    /** Somebody types. */
    void atPrompt() {
        atPrompt = true;
    }

    /**
     * Something runs from now on, until {@link #ended}.
     *
     * @param how interrupts it
     * @param alone whether it ends by that, each of its commands by itself
     */
    synchronized void begin(Runnable how, boolean alone) {
        interrupting = how;
        interruptible = alone;
    }

    /** What was typed has ended: an interrupt that came too late is not for the next one. */
    synchronized void ended() {
        interrupting = null;
        if (atPrompt) {
            Thread.interrupted();
        }
    }

    /** Whether a command runs now. */
    boolean isRunning() {
        return interrupting != null;
    }

    /** Whether no other command may begin. */
    boolean isOver() {
        return interrupted;
    }

    /** Interrupts the command that runs now and lets no other begin. Returns at once. */
    void all() {
        interrupted = true;
        Runnable running = interrupting;
        if (running != null) {
            running.run();
        }
    }

    /**
     * Ctrl-C: interrupts the command that runs; where none does, a new prompt begins. Returns at once.
     *
     * @return false when there is no prompt, when the command was interrupted before and still runs, or for commands
     *     that depend on each other, as in {@code a | b}
     */
    synchronized boolean command() {
        if (!atPrompt) {
            return false;
        }
        if (interrupting == null) {
            nothingRuns.run();
            return true;
        }
        boolean helps = interruptible;
        interruptible = false;
        if (helps) {
            interrupting.run();
        }
        return helps;
    }
}
