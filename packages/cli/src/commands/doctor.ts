import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, given } from "../command.ts";

/** `touchmark doctor`: what this host can isolate and observe, what is missing, how to get it. */
export const command: Command = {
  name: "doctor",
  summary: "what this host can isolate and observe",
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark doctor", "tries the sandbox for real; exit 4 when no step could run"]],
  async run(invocation, terminal) {
    const { inspectHost } = await import("@touchmark/pipeline");
    const report = await inspectHost(terminal.environment);
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify(report, undefined, 2));
      return report.canRun ? 0 : 4;
    }
    const { style } = terminal;
    for (const row of report.rows) {
      const mark = { good: style.good("ok"), weak: style.warn("!!"), missing: style.bad("no") }[row.state];
      terminal.print(`${mark} ${row.name.padEnd(14)} ${row.detail}`);
      if (row.remedy !== undefined) terminal.print(`   ${style.dim("what to do:")} ${row.remedy}`);
    }
    const passphrase = join(report.home, "trust", "root.passphrase");
    if (existsSync(passphrase)) {
      terminal.print(`${style.warn("!!")} ${"root key".padEnd(14)} its passphrase lies beside it, in ${passphrase}`);
      terminal.print(
        `   ${style.dim("what to do:")} move that file to another place; runs never need it. On one machine the encryption`,
      );
      terminal.print(
        "   protects the key in backups and against readers of the disk, not against whoever is you on this machine.",
      );
    }
    terminal.print(
      report.canRun ? "steps can run here" : style.bad("no step can run here; verifying works everywhere"),
    );
    return report.canRun ? 0 : 4;
  },
};
