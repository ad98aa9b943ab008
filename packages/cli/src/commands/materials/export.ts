import { resolve } from "node:path";
import { exportMirror } from "@touchmark/materials";
import { openRunStore, referencedByRuns } from "@touchmark/store";
import { type Command, given, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { size } from "../../output/quantity.ts";
import { type MirrorPlace, withMirror } from "./place.ts";
import { progressLine } from "./progress-line.ts";

/** `touchmark materials export`: the mirror, or some of it, as one file. */
export const command: Command = {
  name: "materials export",
  summary: "write packages of the mirror to one file, to carry elsewhere",
  description:
    "Writes a plain tar with an index and every file once. The same choice of the same mirror gives the same bytes. It holds no credentials, and is not signed: whoever imports it verifies every digest again, and lockfiles decide what may be used.",
  options: [
    { flags: "--out <file>", description: "the file to write; it must not exist" },
    { flags: "--run <run>", description: "only what the evidence of this run names; latest for the newest" },
    { flags: "--purl <pattern>", description: "only these package URLs; * stands for anything", repeatable: true },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark materials export --out mirror.tar", "all of it"],
    ["touchmark materials export --run latest --out build.tar", "what the newest run used"],
    ["touchmark materials export --purl 'pkg:npm/@scope/*' --out scope.tar", "one scope, every version"],
  ],
  async run(invocation, terminal) {
    const out = text(invocation, "out");
    if (out === undefined) throw cliErrors.make("CLI_USAGE", "expected --out FILE");
    const run = text(invocation, "run");
    const purls = texts(invocation, "purl");
    const progress = progressLine(terminal, "wrote");
    const report = await withMirror(false, async (place) =>
      exportMirror(place.options, {
        file: resolve(terminal.directory, out),
        ...(run === undefined ? {} : { digests: await usedBy(place, run) }),
        ...(purls.length === 0 ? {} : { purls }),
        signal: terminal.signal,
        onProgress: progress.tick,
      }),
    ).finally(progress.close);
    if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
    else {
      terminal.print(
        `wrote ${report.file}: ${report.records} answers, ${report.bodies} files, ${size(report.bytes)}\n${report.digest}`,
      );
    }
    return 0;
  },
};

/** Digests that the evidence of a run names. @throws STORE_RUN_MISSING */
async function usedBy({ home, options }: MirrorPlace, run: string) {
  const runs = openRunStore(home);
  const [newest] = run === "latest" ? await runs.list({ limit: 1 }) : [await runs.get(run)];
  return referencedByRuns({ home, content: options.content, runs }, newest === undefined ? [] : [newest.id]);
}
