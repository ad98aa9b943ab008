/**
 * What each program finds: `node bench/sbom/accuracy.ts INPUTS [--only NAME,...] [--list N]`, with the directory that
 * inputs.ts makes. Prints the table of docs/accuracy.md; with --list the first N differences of each kind.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Catalogued, catalogued, ours, peers } from "./documents.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, list: { type: "string" } },
});
const [inputs] = positionals;
if (inputs === undefined) throw new Error("expected: node bench/sbom/accuracy.ts INPUTS");
const shown = Number(values.list ?? 0);
const every = ["npm", "pnpm", "yarn", "uv", "poetry", "cargo", "gomod", "maven", "venv", "go", "jars", "rootfs", "oci"];
const names = values.only?.split(",") ?? every;

function without(one: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
  return [...one].filter((each) => !other.has(each)).sort();
}

function list(title: string, differences: readonly string[]): void {
  if (shown === 0 || differences.length === 0) return;
  process.stderr.write(`${title}: ${differences.length}\n`);
  for (const each of differences.slice(0, shown)) process.stderr.write(`  ${each}\n`);
}

function row(input: string, name: string, theirs: Catalogued, own: Catalogued): string {
  if (theirs.components.size === 0) return `| ${input} | ${name} | none | | | | | |`;
  const extra = without(own.components, theirs.components);
  const missing = without(theirs.components, own.components);
  // Edges between packages that both have: others differ because the packages do.
  const both = (edge: string): boolean =>
    edge.split(" > ").every((end) => own.components.has(end) && theirs.components.has(end));
  const more = without(own.edges, theirs.edges).filter(both);
  const fewer = without(theirs.edges, own.edges).filter(both);
  list(`${input}, only ours beside ${name}`, extra);
  list(`${input}, only ${name}`, missing);
  if (theirs.tellsEdges) {
    list(`${input}, edges only ours beside ${name}`, more);
    list(`${input}, edges only ${name}`, fewer);
  }
  const edges = theirs.tellsEdges ? `${theirs.edges.size} | ${more.length} | ${fewer.length}` : "not told | | ";
  return `| ${input} | ${name} | ${theirs.components.size} | ${extra.length} | ${missing.length} | ${edges} |`;
}

const lines = [
  "| Input | Program | Components | only ours | only theirs | Edges | only ours | only theirs |",
  "| --- | --- | --- | --- | --- | --- | --- | --- |",
];
const found = new Map<string, Catalogued>();
for (const input of names) {
  const path = join(inputs, input);
  if (!existsSync(path)) {
    process.stderr.write(`there is no ${input}\n`);
    continue;
  }
  const image = input === "oci";
  const own = catalogued(ours, path, image);
  if (own === undefined) continue;
  found.set(`touchmark ${input}`, own);
  lines.push(`| **${input}** | **touchmark** | ${own.components.size} | | | ${own.edges.size} | | |`);
  for (const peer of peers()) {
    if (peer.name.startsWith("syft, ") && !["npm", "pnpm", "yarn"].includes(input)) continue;
    const theirs = catalogued(peer, path, image);
    if (theirs === undefined) continue;
    found.set(`${peer.name} ${input}`, theirs);
    lines.push(row(input, peer.name, theirs, own));
  }
}
for (const name of ["touchmark", "syft"]) {
  const [directory, layout] = [found.get(`${name} rootfs`), found.get(`${name} oci`)];
  if (directory === undefined || layout === undefined) continue;
  const [a, b] = [without(directory.components, layout.components), without(layout.components, directory.components)];
  list(`${name}, only of the directory`, a);
  list(`${name}, only of the image`, b);
  lines.push(
    `| rootfs beside oci | ${name} | ${directory.components.size} and ${layout.components.size} | ${a.length} only of the directory | ${b.length} only of the image | | | |`,
  );
}
process.stdout.write(`${lines.join("\n")}\n`);
