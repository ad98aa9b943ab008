import type { Report } from "./finding.ts";
import { lintPackages, type PackageUse } from "./package-rules.ts";
import type { Instruction } from "./recipe-reader.ts";
import type { Stage } from "./recipe-stages.ts";
import { lintScript } from "./script-rules.ts";
import { isShell, readShell } from "./shell-reader.ts";
import { type SourceText, textAt } from "./source-text.ts";

/** What the RUN instructions of a stage do. */
export interface StageRuns {
  readonly tools: PackageUse["tools"];
  readonly caches: PackageUse["caches"];
}

/** Judges the RUN instructions of a stage. `variables` are those set by ENV or ARG. */
export function lintRuns(stage: Stage, variables: ReadonlySet<string>, report: Report): StageRuns {
  const tools: PackageUse["tools"][number][] = [];
  const caches: PackageUse["caches"][number][] = [];
  let understood = true;
  let separate = false;
  for (const instruction of stage.instructions) {
    if (instruction.name === "SHELL") understood = isShell(programName(instruction.list?.[0] ?? "sh"));
    if (instruction.name !== "RUN" || !understood) continue;
    const mounts = cacheMounts(instruction);
    const uses = scriptsOf(instruction).map((script) => {
      const commands = readShell(script);
      lintScript(commands, report);
      return lintPackages(commands, { mounts, variables }, report);
    });
    for (const { updates, aptInstall, ...use } of uses) {
      tools.push(...use.tools);
      caches.push(...use.caches);
      if (updates !== undefined && aptInstall === undefined) {
        separate = true;
        report("stale-package-lists", updates, "package lists are updated in a RUN that installs nothing");
      } else if (aptInstall !== undefined && updates === undefined && !separate) {
        report("stale-package-lists", aptInstall, "packages are installed by the lists of an earlier layer");
      }
    }
  }
  return { tools, caches };
}

/** The shell scripts of a RUN: its text, its JSON form, or its here-documents. */
function scriptsOf({ rest, list, heredocs, at }: Instruction): SourceText[] {
  if (list !== undefined) {
    const [program = "", ...words] = list;
    if (isShell(programName(program))) {
      const script = words[words.findIndex((word) => /^-[a-z]*c$/.test(word)) + 1];
      return script === undefined ? [] : [textAt(script, at)];
    }
    return [textAt(list.map((word) => `'${word.replaceAll("'", "")}'`).join(" "), at)];
  }
  const head = rest.text.trim();
  const fed = /^(?:(\S+)(?:\s+-\S+)*\s+)?<<-?["']?\w/.exec(head);
  if (fed === null || heredocs.length === 0) return [rest];
  if (fed[1] !== undefined && !isShell(programName(fed[1]))) return [rest];
  return heredocs.map(({ body }) => body).filter(({ text }) => isShellText(text));
}

function isShellText(text: string): boolean {
  const [, program] = /^#!\s*(?:\S*\/env\s+)?(\S+)/.exec(text) ?? [];
  return program === undefined || isShell(programName(program));
}

function programName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Options of `--mount`. */
export function mountsOf({
  flags,
}: Instruction): { readonly at: Instruction["at"]; readonly options: ReadonlyMap<string, string> }[] {
  return flags
    .filter(({ name, value }) => name === "mount" && value !== undefined)
    .map(({ value = "", at }) => ({
      at,
      options: new Map(
        value.split(",").map((each) => {
          const equal = each.indexOf("=");
          return equal === -1 ? [each, ""] : [each.slice(0, equal), each.slice(equal + 1)];
        }),
      ),
    }));
}

function cacheMounts(instruction: Instruction): string[] {
  return mountsOf(instruction).flatMap(({ options }) => {
    const type = options.get("type");
    const target = options.get("target") ?? options.get("dst") ?? options.get("destination");
    return (type === "cache" || type === "tmpfs") && target !== undefined ? [target] : [];
  });
}
