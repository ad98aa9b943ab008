import { setTimeout as pause } from "node:timers/promises";
import type { RescannedArtifact } from "@touchmark/pipeline/analysis";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { parseAge } from "../../output/quantity.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark advisories watch`: stored SBOMs against the advisories of today. */
export const command: Command = {
  name: "advisories watch",
  summary: "look at the SBOMs of released artifacts again, and sign what is new",
  description:
    "Matches the signed SBOM of every released artifact against the database in use. Only packages whose advisories changed since the last look are matched again. What is new is signed as spiffe://TD/attest, logged and kept. Exit 3 when the rules of scan.yaml would refuse an artifact now.",
  options: [
    { flags: "--every <age>", description: "go on looking: 1h, 30m" },
    { flags: "--no-attest", description: "sign nothing" },
    { flags: "--json", description: "machine-readable report, a line for each look" },
  ],
  examples: [
    ["touchmark advisories update && touchmark advisories watch", "what today's advisories say of what was released"],
    ["touchmark advisories watch --every 1h", "beside a service that updates the database"],
  ],
  async run(invocation, terminal) {
    const every = text(invocation, "every");
    const seconds = every === undefined ? undefined : parseAge(every);
    if (every !== undefined && (seconds === undefined || seconds < 1)) {
      throw cliErrors.make("CLI_USAGE", `expected --every like 1h or 30m, found ${JSON.stringify(every.slice(0, 40))}`);
    }
    const attest = invocation.options["attest"] !== false;
    for (;;) {
      const code = await look(attest, given(invocation, "json"), terminal);
      if (seconds === undefined) return code;
      await pause(seconds * 1000, undefined, { signal: terminal.signal }).catch(() => undefined);
      if (terminal.signal.aborted) return code;
    }
  },
};

async function look(attest: boolean, asJson: boolean, terminal: Terminal): Promise<number> {
  const { openFactory } = await import("@touchmark/pipeline");
  const { rescanArtifacts } = await import("@touchmark/pipeline/analysis");
  const factory = await openFactory();
  let results: readonly RescannedArtifact[];
  try {
    results = await rescanArtifacts(factory, { attest, signal: terminal.signal });
  } finally {
    await factory.close();
  }
  if (asJson) terminal.print(JSON.stringify(results));
  else show(results, terminal);
  return results.some(({ gate }) => gate.verdict === "refused") ? 3 : 0;
}

function show(results: readonly RescannedArtifact[], terminal: Terminal): void {
  const { style } = terminal;
  for (const { artifact, name, appeared, gone, findings, gate } of results) {
    if (appeared.length === 0 && gone.length === 0 && gate.verdict !== "refused") continue;
    terminal.print(oneLine(`${style.bold(name)}  ${artifact}  ${findings.length} findings`));
    for (const each of appeared)
      terminal.print(oneLine(`  ${style.bad("+")} ${each.id} ${each.severity.class}  ${each.component}`));
    for (const each of gone)
      terminal.print(oneLine(`  ${style.good("-")} ${each.id} ${each.severity.class}  ${each.component}`));
    for (const { outcome, rule, message } of gate.results) {
      if (outcome === "refused") terminal.print(oneLine(`  ${style.bad("refused")} ${message} [rule ${rule}]`));
    }
  }
  const matched = results.filter(({ scanned }) => scanned !== undefined).length;
  const signed = results.filter(({ bundle }) => bundle !== undefined).length;
  terminal.print(`${results.length} artifacts with an SBOM, ${matched} matched again, ${signed} results signed`);
}
