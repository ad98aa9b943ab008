import type { MaterialExplanation } from "@touchmark/pipeline";
import { type Command, given, text } from "../../command.ts";
import { buildLines } from "../../output/build-lines.ts";
import { size } from "../../output/quantity.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark materials why`: what speaks for a package that is in a build. */
export const command: Command = {
  name: "materials why",
  summary: "why a package is in a build: who wanted it, where it came from, what vouches for it",
  description:
    "Looks a package up in the signed statements of a run: the lock entries that allow it and the way to it, the address and digests, the rules of the gate with an opinion, evidence of others, and install scripts. A package that a trusted touchmark factory built is shown with what it was built of.",
  arguments: [{ name: "package", description: "package URL, name, name@version, or address", required: true }],
  options: [
    { flags: "--run <run>", description: "id of a run, or latest (default: the newest with a fetch step)" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark materials why left-pad", "in the newest run"],
    ["touchmark materials why pkg:npm/left-pad@1.3.0 --run latest --json", "for scripts"],
  ],
  async run(invocation, terminal) {
    const [wanted = ""] = invocation.arguments;
    const { explainMaterial, openFactory } = await import("@touchmark/pipeline");
    const factory = await openFactory();
    try {
      const found = await explainMaterial(factory, wanted, text(invocation, "run"));
      if (given(invocation, "json")) terminal.print(JSON.stringify(found, undefined, 2));
      else for (const each of found) show(each, terminal);
      return 0;
    } finally {
      await factory.close();
    }
  },
};

function show({ run, step, material, locked, ways, builtOf }: MaterialExplanation, terminal: Terminal): void {
  const { style } = terminal;
  const line = (name: string, value: string): void => terminal.print(`  ${name.padEnd(10)} ${oneLine(value)}`);
  terminal.print(style.bold(oneLine(material.purl ?? material.url)));
  line("run", `${run}, step ${step}${material.mirrored ? ", from the mirror" : ""}`);
  line("from", `${material.url} (${material.upstream})`);
  for (const redirect of material.redirects ?? []) line("", redirect);
  line("digest", `${material.digest}, ${size(material.size)}, fetched ${material.fetchedAt}`);
  for (const { algorithm, source, from } of material.expected) line("expected", `${algorithm} by ${source} ${from}`);
  if (locked.length === 0) line("locked", material.locked ? "by the pipeline" : style.warn("by nothing"));
  for (const { file, key, scope } of locked) line("locked", `${file}: ${key} (${scope})`);
  for (const way of ways) line("wanted by", way.join(" > "));
  for (const { rule, outcome, message } of material.rules) line("rule", `${rule}: ${outcome}: ${message}`);
  for (const { kind, outcome, signer, message } of material.evidence ?? [])
    line("evidence", `${kind}: ${outcome}${signer === undefined ? "" : ` by ${signer}`}: ${message}`);
  if (builtOf !== undefined && "unknown" in builtOf) line("built of", style.warn(builtOf.unknown));
  if (builtOf !== undefined && "build" in builtOf)
    for (const row of buildLines(builtOf.build)) terminal.print(`  ${row}`);
  for (const script of material.installScripts ?? []) line("script", style.warn(script));
}
