import { malformed } from "./go-build.ts";

/** A module that a program was built of. */
export interface GoModule {
  readonly path: string;
  /** With its `v`; empty for what was built from a working copy (`(devel)`) or a directory. */
  readonly version: string;
  /** `h1:` and base64, of the module's content; absent for the main module. */
  readonly sum?: string;
  /** The module that this one stands in for. */
  readonly replaces?: { readonly path: string; readonly version: string };
  /** The directory whose content stood in for it. */
  readonly directory?: string;
}

/** The modules and settings of one build. */
export interface GoModules {
  /** Path of the package that was built. */
  readonly path?: string;
  readonly main?: GoModule;
  readonly dependencies: readonly GoModule[];
  /** `GOOS`, `vcs.revision`, ...; since Go 1.18. */
  readonly settings: ReadonlyMap<string, string>;
}

const mostLines = 100_000;
const longestWord = 2048;

/** Reads the lines of runtime/debug.BuildInfo. @throws SBOM_BINARY_BUILD_INFO_MALFORMED */
export function parseGoModules(text: string): GoModules {
  const lines = text.split("\n");
  if (lines.length > mostLines) throw malformed(`expected at most ${mostLines} lines, found ${lines.length}`);
  let path: string | undefined;
  let main: GoModule | undefined;
  const dependencies: GoModule[] = [];
  const settings = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const [word, ...rest] = line.replace(/\r$/, "").split("\t");
    if (word === "path") path = checked(rest[0], index);
    else if (word === "mod") main = moduleOf(rest, index);
    else if (word === "dep") dependencies.push(moduleOf(rest, index));
    else if (word === "=>") replaceLast(moduleOf(rest, index));
    else if (word === "build") addSetting(settings, rest.join("\t"));
    // Words that later releases add are none of these; the reader of Go skips them likewise.
  }
  return {
    ...(path !== undefined && { path }),
    ...(main !== undefined && { main }),
    dependencies,
    settings,
  };

  function replaceLast(by: GoModule): void {
    const replaced = dependencies.pop() ?? main;
    if (replaced === undefined || replaced.replaces !== undefined || replaced.directory !== undefined)
      throw malformed("a replacement of no module");
    const { path: was, version } = replaced;
    // A directory has no version: what is in it is known by the name that it replaces only.
    const isDirectory = /^\.{0,2}\/|^[A-Za-z]:/.test(by.path);
    const replacement = isDirectory
      ? { path: was, version, directory: by.path }
      : { ...by, replaces: { path: was, version } };
    if (replaced === main) main = replacement;
    else dependencies.push(replacement);
  }
}

function moduleOf(words: readonly string[], line: number): GoModule {
  const [path, version = "", sum] = words;
  if (words.length > 3) throw malformed(`line ${line + 1}: expected a path, a version and a sum`);
  if (version.length > longestWord) throw malformed(`line ${line + 1}: the version is too long`);
  return {
    path: checked(path, line),
    version: version === "(devel)" ? "" : version,
    ...(sum !== undefined && sum !== "" && { sum }),
  };
}

function checked(path: string | undefined, line: number): string {
  if (path === undefined || path === "" || path.length > longestWord) {
    throw malformed(`line ${line + 1}: expected the path of a module`);
  }
  return path;
}

/** `key=value`; either may stand in quotation marks of Go. */
function addSetting(settings: Map<string, string>, line: string): void {
  const [, key, value] = /^("(?:[^"\\]|\\.)*"|`[^`]*`|[^=]*)=(.*)$/s.exec(line) ?? [];
  if (key !== undefined && value !== undefined) settings.set(unquoted(key), unquoted(value));
}

function unquoted(text: string): string {
  if (/^`.*`$/s.test(text)) return text.slice(1, -1);
  if (!/^".*"$/s.test(text)) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
