import { dirname, join } from "node:path";
import {
  ecosystemAdapters,
  openMirror,
  readMaterialsConfiguration,
  upstreamClient,
  upstreamSettings,
  type WatchReport,
  watchExitCode,
  watchMirror,
} from "@touchmark/materials";
import { type Command, given } from "../../command.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { withMirror } from "./place.ts";
import { progressLine } from "./progress-line.ts";

/** `touchmark materials watch`: what changed upstream about what builds use. */
export const command: Command = {
  name: "materials watch",
  summary: "compare the mirror with its upstreams now: yanked, re-published, gone, other publishers",
  description:
    "For a job that runs every day. Asks the index of every package that the mirror holds, and names files that have other bytes upstream now, versions that are gone, withdrawn or deprecated since, publishers who are new, and attestations that vanished. The mirror is not changed. Exit code 3 when anything was found, 4 when an upstream did not answer, else 0.",
  options: [{ flags: "--json", description: "machine-readable report" }],
  examples: [
    ["touchmark materials watch", "now, for people"],
    ["touchmark materials watch --json", "in a job; its exit code says whether anybody must look"],
  ],
  async run(invocation, terminal) {
    const progress = progressLine(terminal, "asked");
    const report = await withMirror(false, async ({ home, options }) => {
      const configuration = await readMaterialsConfiguration(join(dirname(home.paths.version), "materials.yaml"));
      const { upstreams, sizes } = configuration.gate;
      const client = upstreamClient(upstreamSettings(terminal.environment));
      const mirror = await openMirror(options);
      try {
        return await watchMirror({
          mirror,
          upstreams: Object.values(upstreams).flat(),
          adapters: ecosystemAdapters,
          get: (url, headers) =>
            client.get(url, headers, { maxBytes: sizes.indexBytes, allowPrivate: true, signal: terminal.signal }),
          signal: terminal.signal,
          onProgress: progress.tick,
        });
      } finally {
        client.close();
        await mirror.close();
      }
    }).finally(progress.close);
    const code = watchExitCode(report);
    if (given(invocation, "json")) terminal.print(JSON.stringify({ ...report, exitCode: code }, undefined, 2));
    else show(report, terminal);
    return code;
  },
};

function show(report: WatchReport, terminal: Terminal): void {
  const { style } = terminal;
  for (const finding of report.findings) {
    const mark = finding.alarm ? style.bad("alarm") : style.warn("look");
    const version = finding.version === null ? "" : `@${finding.version}`;
    const what = `${finding.ecosystem} ${finding.name}${version} ${finding.fileName ?? ""}`.trim();
    terminal.print(`${mark} ${finding.kind}: ${oneLine(what)}: ${oneLine(finding.message)}`);
  }
  for (const { ecosystem, name, message } of report.unreachable) {
    terminal.print(`${style.warn("unknown")} ${oneLine(`${ecosystem} ${name}: ${message}`)}`);
  }
  for (const [reason, count] of Object.entries(report.notCompared)) {
    terminal.note(style.dim(`${count} files not compared: ${oneLine(reason)}`));
  }
  terminal.note(style.dim(`${report.asked} packages asked, ${report.compared} files compared`));
}
