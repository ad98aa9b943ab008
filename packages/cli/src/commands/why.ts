import type { Component, Sbom } from "@touchmark/formats/sbom";
import { type Command, given, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { cataloguing } from "../output/cataloguing.ts";
import { registryOptions } from "../registry-options.ts";
import { openScanSource, sourceDescription } from "../scan-source.ts";
import { oneLine } from "../terminal.ts";

/** One way from the subject to a package. */
interface Way {
  /** Names with versions, the subject first. */
  readonly path: readonly string[];
}

/** `touchmark why`: who pulls a package in, and where it was found. */
export const command: Command = {
  name: "why",
  summary: "who pulls a package in, and where it was found",
  arguments: [
    { name: "package", description: "name, NAME@VERSION, or package URL", required: true },
    { name: "source", description: `${sourceDescription} (default: the current directory)` },
  ],
  options: [
    { flags: "--platform <platform>", description: "of an image for several: os/architecture[/variant]" },
    { flags: "--ways <n>", description: "most ways that are shown for each version (default: 5)" },
    { flags: "--json", description: "machine-readable output" },
    ...registryOptions,
  ],
  examples: [
    ["touchmark why lodash", "every version here, the shortest ways to it, and the files that say so"],
    ["touchmark why pkg:deb/debian/zlib1g oci-dir:image", "in an image"],
  ],
  async run(invocation, terminal) {
    const [wanted = "", words = "dir:."] = invocation.arguments;
    const most = Number(text(invocation, "ways") ?? 5);
    if (!Number.isSafeInteger(most) || most < 1 || most > 1000) {
      throw cliErrors.make(
        "CLI_USAGE",
        `expected --ways from 1 to 1000, found ${JSON.stringify(text(invocation, "ways"))}`,
      );
    }
    const source = await openScanSource(words, invocation, terminal);
    try {
      const sbom = await cataloguing(source, terminal);
      const found = sbom.components.filter((component) => component.ref !== sbom.root && isMeant(component, wanted));
      const answers = found.map((component) => ({ component, ways: waysTo(sbom, component.ref, most) }));
      if (given(invocation, "json")) {
        terminal.print(
          JSON.stringify(
            answers.map(({ component: { ref, name, version, scope, occurrences }, ways }) => ({
              ...{ ref, name, version, scope, occurrences },
              ways: ways.map(({ path }) => path),
            })),
          ),
        );
      } else {
        for (const { component, ways } of answers) {
          terminal.print(
            oneLine(`${terminal.style.bold(`${component.name} ${component.version}`)}  ${component.scope}`),
          );
          for (const { path } of ways) terminal.print(oneLine(`  ${path.join(" > ")}`));
          if (ways.length === 0) terminal.print("  nothing says who needs it");
          for (const { path, rule } of component.occurrences)
            terminal.print(terminal.style.dim(oneLine(`  found in ${path} (${rule})`)));
        }
      }
      if (found.length === 0) terminal.note(`${wanted} is not in ${words}`);
      return found.length === 0 ? 3 : 0;
    } finally {
      source.close();
    }
  },
};

function isMeant({ name, version, purl, ref }: Component, wanted: string): boolean {
  if (wanted.startsWith("pkg:")) {
    const plain = (purl ?? "").split(/[?#]/, 1)[0] ?? "";
    return ref === wanted || purl === wanted || plain === wanted || plain.slice(0, plain.lastIndexOf("@")) === wanted;
  }
  return name === wanted || `${name}@${version}` === wanted;
}

/** Shortest ways from the root, breadth first over who needs whom; a component on a way never stands there twice. */
function waysTo(sbom: Sbom, ref: string, most: number): Way[] {
  const parents = new Map<string, string[]>();
  for (const { from, to } of sbom.dependencies) {
    for (const each of to) {
      const known = parents.get(each);
      if (known === undefined) parents.set(each, [from]);
      else known.push(from);
    }
  }
  const names = new Map(
    sbom.components.map((component) => [
      component.ref,
      `${component.name}${component.version === "" ? "" : ` ${component.version}`}`,
    ]),
  );
  const ways: Way[] = [];
  const queue: Step[] = [{ ref, depth: 0 }];
  const seen = new Map<string, number>([[ref, 1]]);
  for (let at = 0; at < queue.length && ways.length < most; at++) {
    const step = queue[at];
    if (step === undefined) break;
    if (step.ref === sbom.root) {
      ways.push({ path: [...downward(step)].map((each) => names.get(each) ?? each) });
      continue;
    }
    for (const parent of parents.get(step.ref) ?? []) {
      // As many visits as ways are wanted keep the search linear in the edges.
      const visits = seen.get(parent) ?? 0;
      if (visits >= most) continue;
      // What was never seen is on no way; the shortest way is found however long it is, further ones up to a length.
      if (visits > 0 && (step.depth > longestFurther || [...downward(step)].includes(parent))) continue;
      seen.set(parent, visits + 1);
      queue.push({ ref: parent, below: step, depth: step.depth + 1 });
    }
  }
  return ways;
}

/** Longest way that is looked at for a component to which a shorter one is known. */
const longestFurther = 500;

/** A component on a way up, with what it leads down to. */
interface Step {
  readonly ref: string;
  readonly below?: Step;
  readonly depth: number;
}

function* downward(step: Step): Generator<string> {
  for (let at: Step | undefined = step; at !== undefined; at = at.below) yield at.ref;
}
