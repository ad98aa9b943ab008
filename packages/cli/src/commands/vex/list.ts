import { type Command, given } from "../../command.ts";
import { oneLine } from "../../terminal.ts";

/** `touchmark vex list`: what counts here. */
export const command: Command = {
  name: "vex list",
  summary: "documents that count, and those that do not, with why",
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark vex list", "digest, author, approver, scope and expiry of each"]],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { keptVex } = await import("@touchmark/pipeline/analysis");
    const factory = await openFactory();
    try {
      const { kept, ignored } = await keptVex(factory);
      if (given(invocation, "json")) {
        const rows = kept.map(({ digest, document, decision }) => ({
          digest,
          statements: document.statements,
          decision,
        }));
        terminal.print(JSON.stringify({ kept: rows, ignored }, undefined, 2));
        return ignored.length === 0 ? 0 : 3;
      }
      const now = factory.clock.now().getTime();
      for (const { digest, document, decision } of kept) {
        const { approver, reason, expires, projects, artifacts } = decision;
        const isOver = expires !== undefined && Date.parse(expires) <= now;
        const scope = [...projects, ...artifacts].join(", ") || "everything";
        const until =
          expires === undefined
            ? "without end"
            : isOver
              ? terminal.style.warn(`expired ${expires}`)
              : `until ${expires}`;
        terminal.print(oneLine(`${digest}  ${document.statements.length} statements by ${document.author}`));
        terminal.print(`  ${oneLine(`let in by ${approver}: ${reason}; for ${scope}`)}, ${until}`);
      }
      for (const { digest, code, message } of ignored) {
        terminal.print(`${terminal.style.bad("does not count")} ${digest}: ${oneLine(message)} (${code})`);
      }
      if (kept.length + ignored.length === 0) terminal.print("no VEX documents");
      return ignored.length === 0 ? 0 : 3;
    } finally {
      await factory.close();
    }
  },
};
