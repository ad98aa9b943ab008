import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { exitCodes, isFactoryError } from "@touchmark/core";
import { type Lockfile, lockfileNames, readLockfile } from "@touchmark/formats/lockfiles";
import { diffMaterials, type HistoryOf, type MaterialChange, openPackageMemory, packageOf } from "@touchmark/materials";
import { readAtRevision, resolveRevision } from "@touchmark/source";
import { defaultHomePath, openHome } from "@touchmark/store";
import { type Command, given, text, texts } from "../../command.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

const MAX_LOCKFILE_BYTES = 64 * 1024 * 1024;

/** `touchmark materials diff`: what an update of the lockfiles brings. */
export const command: Command = {
  name: "materials diff",
  summary: "what two revisions differ in: packages, publishers, install scripts, hosts",
  description:
    "Reads the lockfiles of two revisions and names every package that came, went or changed its version, and what deserves a look: new hosts, new install scripts, new publishers, packages that come from elsewhere. Another digest under the same version is an alarm; the exit code is then 3. Nothing is fetched.",
  arguments: [
    { name: "before", description: "a revision: commit, branch or tag", required: true },
    { name: "after", description: "another one", required: true },
  ],
  options: [
    { flags: "--source <location>", description: "the repository (default: the directory that you are in)" },
    {
      flags: "--lockfile <path>",
      description: "a lockfile in the revisions (default: all at the top)",
      repeatable: true,
    },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark materials diff main HEAD", "what this branch would bring in"],
    ["touchmark materials diff v1.0.0 v1.1.0 --lockfile web/package-lock.json", "one lockfile below a directory"],
  ],
  async run(invocation, terminal) {
    const [before = "", after = ""] = invocation.arguments;
    const location = text(invocation, "source") ?? terminal.directory;
    const paths = texts(invocation, "lockfile");
    const scratch = mkdtempSync(join(tmpdir(), "touchmark-diff-"));
    try {
      const place = {
        location: location.includes("://") ? location : resolve(terminal.directory, location),
        paths,
        scratch,
      };
      const diff = diffMaterials(
        await lockfilesAt(place, before),
        await lockfilesAt(place, after),
        await historyOfHome(terminal),
      );
      const code = diff.findings.some((finding) => finding.alarm) ? exitCodes.refused : 0;
      if (given(invocation, "json")) terminal.print(JSON.stringify(diff, undefined, 2));
      else show(diff, terminal);
      return code;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};

interface Place {
  readonly location: string;
  readonly paths: readonly string[];
  readonly scratch: string;
}

/** Lockfiles of a revision: those that are named, or whatever lies at the top. A named one may be missing in one of both. */
async function lockfilesAt({ location, paths, scratch }: Place, revision: string): Promise<Lockfile[]> {
  const options = { location, repositoryStore: scratch };
  const { commit } = await resolveRevision({ ...options, revision });
  const found: Lockfile[] = [];
  for (const path of paths.length > 0 ? paths : lockfileNames) {
    try {
      const bytes = await readAtRevision(location, commit, path, {
        repositoryStore: scratch,
        limitBytes: MAX_LOCKFILE_BYTES,
      });
      found.push(readLockfile(path, bytes));
    } catch (error) {
      if (!isFactoryError(error) || error.code !== "SOURCE_FILE_UNKNOWN") throw error;
    }
  }
  return found;
}

/** What earlier runs of the home learned about packages; nothing where there is no home. */
async function historyOfHome(terminal: Terminal): Promise<HistoryOf> {
  if (!existsSync(terminal.environment["TOUCHMARK_HOME"] ?? defaultHomePath())) return () => undefined;
  const home = await openHome();
  const memory = openPackageMemory(home.paths.materials);
  await home.close();
  return ({ purl }) => (purl === undefined ? undefined : memory.historyOf(packageOf(purl)));
}

function show(diff: ReturnType<typeof diffMaterials>, terminal: Terminal): void {
  const { style } = terminal;
  const rows: readonly (readonly [string, readonly MaterialChange[]])[] = [
    [style.good("+"), diff.added],
    [style.bad("-"), diff.removed],
    [style.warn("~"), diff.changed],
  ];
  for (const finding of diff.findings) {
    const mark = finding.alarm ? style.bad("alarm") : style.warn("look");
    const what = `${finding.ecosystem} ${finding.name}@${finding.version}`;
    terminal.print(`${mark} ${finding.kind}: ${oneLine(what)}: ${oneLine(finding.message)}`);
  }
  for (const [mark, changes] of rows) {
    for (const { ecosystem, name, before, after } of changes) {
      const versions = [before.join(", "), after.join(", ")].filter((each) => each !== "").join(" -> ");
      terminal.print(`${mark} ${ecosystem} ${oneLine(`${name} ${versions}`)}`);
    }
  }
  for (const limit of diff.limits) terminal.note(style.dim(`not told: ${oneLine(limit)}`));
  const counts = [diff.added, diff.removed, diff.changed].map((changes) => changes.length);
  terminal.note(style.dim(`${counts[0]} added, ${counts[1]} removed, ${counts[2]} changed`));
}
