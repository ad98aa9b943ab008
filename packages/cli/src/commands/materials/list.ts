import { type MaterialRecord, type Mirror, matchesPurl, openMirror } from "@touchmark/materials";
import { type Command, given, text } from "../../command.ts";
import { size } from "../../output/quantity.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { withMirror } from "./place.ts";

/** One line of the list. */
interface Listed {
  readonly ecosystem: string;
  readonly kind: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly purl: string | null;
  readonly fileName: string | null;
  readonly url: string;
  readonly upstream: string;
  readonly status: number;
  readonly digest: string;
  readonly size: number;
  readonly firstSeen: string;
  readonly fetchedAt: string;
  /** Digests ever seen under this name; more than one is an alarm. */
  readonly seen: readonly string[];
}

/** `touchmark materials list`: what the mirror holds. */
export const command: Command = {
  name: "materials list",
  summary: "list what the mirror holds",
  description:
    "One line for each answer that the mirror holds: digest, size, when it was first seen, upstream, package and file. A file name that was ever seen with other bytes is marked.",
  options: [
    { flags: "--ecosystem <name>", description: "only of npm, pypi, golang, cargo, maven, deb, git or generic" },
    { flags: "--name <name>", description: "only of this package name; * stands for anything" },
    { flags: "--purl <pattern>", description: "only of this package URL; * stands for anything" },
    { flags: "--kind <kind>", description: "only archive, index, metadata, signature, git or download" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark materials list", "everything, by package"],
    ["touchmark materials list --ecosystem npm --name '@scope/*' --kind archive", "archives of one scope"],
    ["touchmark materials list --json", "for programs"],
  ],
  async run(invocation, terminal) {
    const wanted = {
      ecosystem: text(invocation, "ecosystem"),
      name: text(invocation, "name"),
      purl: text(invocation, "purl"),
      kind: text(invocation, "kind"),
    };
    const listed = await withMirror(false, async ({ options }) => {
      const mirror = await openMirror(options);
      try {
        return await list(mirror, (record) => fits(record, wanted), terminal);
      } finally {
        await mirror.close();
      }
    });
    if (given(invocation, "json")) terminal.print(JSON.stringify(listed, undefined, 2));
    else show(listed, terminal);
    return 0;
  },
};

async function list(
  mirror: Mirror,
  wanted: (record: MaterialRecord) => boolean,
  terminal: Terminal,
): Promise<Listed[]> {
  const listed: Listed[] = [];
  for await (const record of mirror.records()) {
    terminal.signal.throwIfAborted();
    if (!wanted(record)) continue;
    const { purl, fileName, name, version, ecosystem, kind, upstream } = record.facts;
    const seen = purl === undefined || fileName === undefined ? [] : await mirror.seen(purl, fileName);
    listed.push({
      ecosystem,
      kind,
      name: name ?? null,
      version: version ?? null,
      purl: purl ?? null,
      fileName: fileName ?? null,
      url: record.url,
      upstream,
      status: record.status,
      digest: record.digest,
      size: record.size,
      firstSeen: seen.find((one) => one.digest === record.digest)?.firstSeen ?? record.fetchedAt,
      fetchedAt: record.fetchedAt,
      seen: seen.map((one) => one.digest),
    });
  }
  const order = (one: Listed) => `${one.ecosystem} ${one.name ?? ""} ${one.version ?? ""} ${one.url}`;
  return listed.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function fits(
  record: MaterialRecord,
  wanted: Readonly<Record<"ecosystem" | "name" | "purl" | "kind", string | undefined>>,
): boolean {
  const { facts } = record;
  if (wanted.ecosystem !== undefined && facts.ecosystem !== wanted.ecosystem) return false;
  if (wanted.kind !== undefined && facts.kind !== wanted.kind) return false;
  if (wanted.purl !== undefined && !matchesPurl(facts, wanted.purl)) return false;
  if (wanted.name === undefined) return true;
  // As a package URL of no type, so that the star means the same.
  return (
    facts.name !== undefined && matchesPurl({ ...facts, purl: `pkg:name/${facts.name}` }, `pkg:name/${wanted.name}`)
  );
}

function show(listed: readonly Listed[], terminal: Terminal): void {
  const { style } = terminal;
  if (listed.length === 0) terminal.note("the mirror holds nothing of that; a fetch step fills it");
  for (const one of listed) {
    const what = one.purl === null ? one.url : `${one.purl} ${one.fileName ?? ""}`;
    const status = one.status === 200 ? "" : ` (${one.status})`;
    terminal.print(
      `${one.digest}  ${size(one.size).padStart(9)}  ${one.firstSeen}  ${oneLine(one.upstream).padEnd(12)}  ${oneLine(what.trim())}${status}`,
    );
    if (one.seen.length > 1) {
      terminal.print(style.warn(`  !! ${one.seen.length} different files were seen under this name`));
    }
  }
  const bodies = new Map(listed.map((one) => [one.digest, one.size]));
  const bytes = [...bodies.values()].reduce((total, one) => total + one, 0);
  if (listed.length > 0) terminal.note(style.dim(`${listed.length} answers, ${bodies.size} files, ${size(bytes)}`));
}
