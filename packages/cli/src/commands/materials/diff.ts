import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix, resolve } from "node:path";
import { exitCodes } from "@touchmark/core";
import { type Lockfile, lockfileNames, readLockfile } from "@touchmark/formats/lockfiles";
import { diffMaterials, type HistoryOf, type MaterialChange, openPackageMemory, packageOf } from "@touchmark/materials";
import { openRevisionFiles, type RevisionFiles } from "@touchmark/source";
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
  const files = await openRevisionFiles({ location, revision, repositoryStore: scratch });
  try {
    const names = new Set(paths.length > 0 ? [] : await files.names());
    const found: Lockfile[] = [];
    for (const path of paths.length > 0 ? paths : lockfileNames.filter((name) => names.has(name))) {
      const bytes = await files.read(path, { limitBytes: MAX_LOCKFILE_BYTES });
      if (bytes !== undefined) found.push(await lockfileWithCompanions(files, path, bytes));
    }
    return found;
  } finally {
    files.close();
  }
}

/** Reads a lockfile; the files beside it that its reader asks for are fetched, and it is read again. */
async function lockfileWithCompanions(files: RevisionFiles, path: string, bytes: Uint8Array): Promise<Lockfile> {
  const beside = new Map<string, Uint8Array | undefined>();
  for (;;) {
    const wanted = new Set<string>();
    const companion = (name: string): Uint8Array | undefined => {
      if (!beside.has(name)) wanted.add(name);
      return beside.get(name);
    };
    let found: Lockfile | undefined;
    let fault: unknown;
    try {
      found = readLockfile(path, bytes, { companion });
    } catch (error) {
      fault = error;
    }
    if (wanted.size === 0) {
      if (found === undefined) throw fault;
      return found;
    }
    for (const name of wanted) {
      beside.set(name, await files.read(posix.join(posix.dirname(path), name), { limitBytes: MAX_LOCKFILE_BYTES }));
    }
  }
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
