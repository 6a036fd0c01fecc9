// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import java.util.ArrayList;
import java.util.List;

/** Lines of columns, each as wide as its widest cell. Not thread-safe. */
public final class TextTable {

    private static final String GAP = "  ";

    private final List<String[]> rows = new ArrayList<>();
    private final int[] widths;

    /** A table whose first line holds these headings. */
    public TextTable(String... headings) {
        widths = new int[headings.length];
        row(headings);
    }

    /**
     * Adds a line.
     *
     * @throws IllegalArgumentException when the number of cells is not the number of headings
     */
    public TextTable row(String... cells) {
        if (cells.length != widths.length) {
            throw new IllegalArgumentException(cells.length + " cells for " + widths.length + " columns");
        }
        for (int column = 0; column < cells.length; column++) {
            widths[column] = Math.max(widths[column], cells[column].length());
        }
        rows.add(cells.clone());
        return this;
    }

    /** The lines, each ended, without blanks at their ends. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.length; column++) {
                line.append(row[column])
                        .append(" ".repeat(widths[column] - row[column].length()))
                        .append(GAP);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
