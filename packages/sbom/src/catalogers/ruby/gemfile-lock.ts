import { fileMalformed } from "../json-object.ts";

/** Where Bundler takes a gem from. */
export interface GemSource {
  readonly kind: "registry" | "git" | "path" | "plugin";
  readonly remote: string;
  readonly revision?: string;
}

/** A gem that is locked. */
export interface LockedGem {
  readonly name: string;
  readonly version: string;
  /** Absent for one that runs anywhere. */
  readonly platform?: string;
  readonly source: GemSource;
  readonly dependencies: readonly string[];
  readonly sha256?: string;
}

/** What a Gemfile.lock says. */
export interface GemfileLock {
  readonly gems: readonly LockedGem[];
  /** What the Gemfile names itself. */
  readonly direct: readonly string[];
  readonly ruby?: string;
}

const kinds: Readonly<Record<string, GemSource["kind"]>> = {
  GEM: "registry",
  GIT: "git",
  PATH: "path",
  "PLUGIN SOURCE": "plugin",
};
const most = { lines: 1_000_000, gems: 100_000, needs: 2_000_000 };
const spec = /^ {4}([^\s()!]{1,256})(?: \(([^\s()]{1,256})\))?$/;
const need = /^ {6}([^\s()!]{1,256})!?(?: \([^()]*\))?$/;
const wanted = /^ {2}([^\s()!]{1,256})!?(?: \([^()]*\))?$/;
const checksum = /^ {2}([^\s()]{1,256}) \(([^\s()]{1,256})\)(?: (\S+))?$/;

/** Reads a Gemfile.lock of any Bundler. Sections that later ones add are passed over. @throws SBOM_FILE_MALFORMED */
export function parseGemfileLock(text: string): GemfileLock {
  const lines = text.split(/\r?\n/);
  if (lines.length > most.lines) throw fileMalformed(`expected at most ${most.lines} lines`);
  const gems: (LockedGem & { dependencies: string[]; sha256?: string })[] = [];
  const direct: string[] = [];
  const sums = new Map<string, string>();
  let [ruby, needs]: [string | undefined, number] = [undefined, 0];
  let section = "";
  let source: GemSource | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    if (!line.startsWith(" ")) {
      if (/^(?:<<<<<<<|=======|>>>>>>>)/.test(line)) throw fileMalformed(`line ${index + 1}: an unresolved merge`);
      section = line;
      const kind = kinds[section];
      source = kind === undefined ? undefined : { kind, remote: "" };
      continue;
    }
    if (source !== undefined) inSource(line, index);
    else if (section === "DEPENDENCIES") direct.push(nameOn(wanted, line, index));
    else if (section === "RUBY VERSION") ruby ??= line.trim().slice(0, 200);
    else if (section === "CHECKSUMS") addChecksum(line);
  }
  if (gems.length === 0 && direct.length === 0 && section === "") throw fileMalformed("expected a Gemfile.lock");
  for (const gem of gems) {
    const sha256 = sums.get(`${gem.name} ${gem.version}${gem.platform === undefined ? "" : `-${gem.platform}`}`);
    if (sha256 !== undefined) gem.sha256 = sha256;
  }
  return { gems, direct, ...(ruby !== undefined && { ruby }) };

  function inSource(line: string, index: number): void {
    const [, name = "", value = ""] = /^ {2}(remote|revision): (.{1,2000})$/.exec(line) ?? [];
    if (name !== "" && source !== undefined) {
      // Several remotes of one section: any of them may have been asked; the first is the one that is named.
      if (name === "revision" || source.remote === "") source = { ...source, [name]: value };
    } else if (/^ {6}/.test(line)) {
      if (++needs > most.needs) throw fileMalformed(`expected at most ${most.needs} dependencies`);
      gems.at(-1)?.dependencies.push(nameOn(need, line, index));
    } else if (/^ {4}\S/.test(line)) {
      gems.push({ ...gemOn(line, index), source: source ?? { kind: "registry", remote: "" }, dependencies: [] });
      if (gems.length > most.gems) throw fileMalformed(`expected at most ${most.gems} gems`);
    }
  }

  function addChecksum(line: string): void {
    const [, name, version, written] = checksum.exec(line) ?? [];
    const sha256 = /(?:^|,)sha256=([0-9a-f]{64})(?:,|$)/.exec(written ?? "")?.[1];
    if (sha256 !== undefined) sums.set(`${name} ${version}`, sha256);
  }
}

function gemOn(line: string, index: number): Pick<LockedGem, "name" | "version" | "platform"> {
  const [, name, whole = ""] = spec.exec(line) ?? [];
  if (name === undefined) throw fileMalformed(`line ${index + 1}: expected a gem and its version`);
  // Versions of gems have no dash: what is behind one is the platform.
  const dash = whole.indexOf("-");
  if (dash < 0) return { name, version: whole };
  return { name, version: whole.slice(0, dash), platform: whole.slice(dash + 1) };
}

function nameOn(pattern: RegExp, line: string, index: number): string {
  const name = pattern.exec(line)?.[1];
  if (name === undefined) throw fileMalformed(`line ${index + 1}: expected the name of a gem`);
  return name;
}
