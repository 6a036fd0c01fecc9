// SPDX-License-Identifier: Apache-2.0
/** Runs commands: one, several in a line, or those that a user types; after the default configuration is in place. */
package dev.ferry.app.internal;
