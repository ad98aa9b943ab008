/** One line of the results: what was measured, against what, and whether that is what was wanted. */
export interface Figure {
  readonly what: string;
  /** With its unit. */
  readonly ours: string;
  /** What it was measured against in the same session, with its figure. */
  readonly against?: string;
  readonly ratio?: number;
  /** What was wanted. */
  readonly aim?: string;
  readonly met?: boolean;
}

/** Table of figures, as Markdown. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, ours, against, ratio, aim, met }) => [
    what,
    ours,
    against ?? "",
    ratio === undefined ? "" : `${ratio}×`,
    aim ?? "",
    met === undefined ? "" : met ? "met" : "**missed**",
  ]);
  const head = ["What", "touchmark", "Against", "Ratio", "Aim", "Verdict"];
  return [head, head.map(() => "---"), ...rows].map(rowLine).join("\n");
}

function rowLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
