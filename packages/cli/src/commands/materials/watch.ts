import { dirname, join } from "node:path";
import {
  type CredentialKeeper,
  credentialKeeper,
  ecosystemAdapters,
  type MaterialsConfiguration,
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
    "For a job that runs every day. Asks the index of every package that the mirror holds, and names files that have other bytes upstream now, versions that are gone, withdrawn or deprecated since, publishers who are new, and attestations that vanished. The mirror is not changed. Private upstreams are asked with the credentials that fetch steps have. Exit code 3 when anything was found, 4 when an upstream did not answer, else 0.",
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
      const credentials = credentialKeeper(forWatching(configuration), terminal.environment);
      const mirror = await openMirror(options);
      try {
        const found = await watchMirror({
          mirror,
          upstreams: Object.values(upstreams).flat(),
          adapters: ecosystemAdapters,
          get: async (url, headers) => {
            const secret = await credentials.headersFor({ url, purpose: "fetch", step: WATCHING, trusted: true });
            const asked = { ...headers, ...secret?.headers };
            return client.get(url, asked, { maxBytes: sizes.indexBytes, allowPrivate: true, signal: terminal.signal });
          },
          signal: terminal.signal,
          onProgress: progress.tick,
        });
        return redacted(found, credentials.redactor);
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

/** Stands for a step: who watches asks in the user's own name, and of every upstream. */
const WATCHING = "materials watch";

/** The credentials that steps fetch with, each still for its host alone. */
function forWatching({ credentials }: MaterialsConfiguration): Pick<MaterialsConfiguration, "credentials"> {
  return { credentials: credentials.map((each) => ({ ...each, steps: [WATCHING] })) };
}

/** An upstream may say again what it was sent. */
function redacted(report: WatchReport, redactor: CredentialKeeper["redactor"]): WatchReport {
  const plain = <T extends { readonly message: string }>(each: T): T => ({
    ...each,
    message: redactor.text(each.message),
  });
  return { ...report, findings: report.findings.map(plain), unreachable: report.unreachable.map(plain) };
}

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
