import { localPath } from "./addresses.ts";
import { lockfileErrors } from "./errors.ts";
import type { LockfileText } from "./options.ts";
import { shown } from "./shape.ts";
import { companionText } from "./text.ts";
import { orElse, refuse } from "./tolerance.ts";

/** One line of a requirements file, continuations joined, without its comment. */
export interface RequirementLine {
  /** `FILE:LINE` of its first line. */
  readonly where: string;
  readonly text: string;
  /** Packages and files that want it, from the comments `# via …` that pip-compile and uv write. */
  readonly via: readonly string[];
}

/** Lines of a requirements file and of what it includes, and the options that name places to fetch from. */
export interface RequirementLines {
  readonly lines: readonly RequirementLine[];
  readonly ignored: ReadonlySet<string>;
}

const mostIncludes = 64;
const ignoredOptions =
  /^(?:-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host|--no-binary|--only-binary|--use-feature)(?:[ =]|$)/;
const flags = /^(?:--no-index|--prefer-binary|--require-hashes|--pre)$/;
const include = /^(?:-r|--requirement)(?:\s+|=)?(.+)$/;
const constraint = /^(?:-c|--constraint)(?:\s+|=)?(.+)$/;

/** Reads the lines of a requirements file (pip's requirements file format), following `-r`. */
export function requirementLines(file: LockfileText): RequirementLines {
  const lines: RequirementLine[] = [];
  const ignored = new Set<string>();
  let includes = 0;
  const follow = (text: string, name: string, open: readonly string[]): void => {
    for (const line of joined(text, name, file)) {
      orElse(
        file,
        () => take(line, name, open),
        () => undefined,
      );
    }
  };
  const take = (line: RequirementLine, name: string, open: readonly string[]): void => {
    const included = include.exec(line.text)?.[1];
    if (included !== undefined) {
      const path = localPath(unquote(included), line.where);
      const target = localPath([...name.split("/").slice(0, -1), path].join("/"), line.where);
      if (++includes > mostIncludes) throw refused(line.where, `at most ${mostIncludes} included files`, target);
      if (open.includes(target)) throw refused(line.where, "a file that does not include itself", target);
      const content = companionText(file, target);
      if (content === undefined) throw refused(line.where, "the included file", target);
      follow(content, target, [...open, target]);
    } else if (constraint.test(line.text)) ignored.add("--constraint");
    else if (ignoredOptions.test(line.text)) ignored.add(/^[^ =]+/.exec(line.text)?.[0] ?? "");
    else if (flags.test(line.text)) return;
    else if (/^-(?!e\b|-editable\b)/.test(line.text)) {
      throw lockfileErrors.make(
        "LOCKFILE_MALFORMED",
        `${line.where}: expected an option of pip, found ${shown(line.text)}`,
      );
    } else lines.push(line);
  };
  follow(file.text, file.name, [file.name]);
  return { lines, ignored };
}

/** Joins continuation lines as pip does, and keeps what comments say about who wants a package. */
function joined(text: string, name: string, file: LockfileText): RequirementLine[] {
  const lines: (RequirementLine & { via: string[] })[] = [];
  let start = 0;
  let words = "";
  let inVia = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const comment = /(?:^|\s)#(.*)$/.exec(raw);
    const body = comment ? raw.slice(0, comment.index) : raw;
    const last = lines.at(-1);
    if (words === "" && body.trim() === "" && comment) {
      inVia = noteVia(comment[1] ?? "", last, inVia);
      continue;
    }
    inVia = false;
    if (words === "") start = index + 1;
    const continues = !comment && body.endsWith("\\");
    words += continues ? `${body.slice(0, -1)} ` : body;
    if (continues) continue;
    const whole = words.replace(/\s+/g, " ").trim();
    words = "";
    if (whole === "") continue;
    if (/\$\{[A-Z0-9_]+\}/.test(whole)) {
      const message = `${name}:${start}: expected no environment variable, found ${shown(whole)}`;
      refuse(file, lockfileErrors.make("LOCKFILE_MALFORMED", message));
      continue;
    }
    const line = { where: `${name}:${start}`, text: whole, via: [] };
    lines.push(line);
    if (comment) noteVia(comment[1] ?? "", line, false);
  }
  if (words.trim() !== "") {
    const message = `${name}:${start}: expected a line after the continuation, found the end`;
    refuse(file, lockfileErrors.make("LOCKFILE_MALFORMED", message));
  }
  return lines;
}

function noteVia(comment: string, line: { via: string[] } | undefined, inVia: boolean): boolean {
  const words = comment.trim();
  const begins = /^via\b\s*(.*)$/.exec(words);
  if (line === undefined || (!begins && !inVia) || words === "") return false;
  const named = begins ? (begins[1] ?? "") : words;
  line.via.push(
    ...named
      .split(",")
      .map((piece) => piece.trim())
      .filter((piece) => piece !== ""),
  );
  return true;
}

function unquote(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, "$2");
}

function refused(where: string, expected: string, found: string) {
  return lockfileErrors.make("LOCKFILE_INCLUDE", `${where}: expected ${expected}, found ${shown(found)}`);
}
