import picocolors from "picocolors";

/** A table with a header, each column as wide as its widest cell; ends with a newline. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(column === cells.length - 1 ? 0 : widths[column]!))
      .join("  ")
      .trimEnd();
  return [picocolors.bold(line(head)), ...rows.map(line), ""].join("\n");
}
