import { setTimeout as sleep } from "node:timers/promises";
import { isFactoryError } from "@touchmark/core";
import { parseRegistryReference } from "@touchmark/formats/oci";
import { type Factory, openFactory } from "@touchmark/pipeline";
import { publishArtifact } from "@touchmark/registry";
import { type Command, given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { type ImageSource, openImageSource, openImageTarget, registryOptions } from "../../image-source.ts";
import { writeNamedFile } from "../../output/file.ts";
import { parseAge } from "../../output/quantity.ts";
import { watchErrors } from "../../tag-watch/errors.ts";
import { evaluateTag, type TagReport, type TagRequest } from "../../tag-watch/evaluate-tag.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark image watch`: what a followed tag names now is evaluated before anybody builds on it. */
export const command: Command = {
  name: "image watch",
  summary: "follow a tag: evaluate a new digest behind it before it is promoted",
  description:
    "Looks up what the tag names now. A digest that was accepted is not looked at again. A new one is evaluated: who vouches for it by images.yaml, platforms, user, entrypoint, ports, volumes, environment, base and size against the image accepted before, with --files every file. The answer is signed as spiffe://TD/attest, logged and remembered; nothing is promoted. Exit 0 when unchanged or accepted, 3 when refused, 4 when the registry did not answer.",
  arguments: [{ name: "image", description: "HOST/NAME:TAG or oci-dir:PATH:TAG", required: true }],
  options: [
    {
      flags: "--interval <age>",
      description: "look again after this time (10m, 1d), until interrupted; without it once",
    },
    { flags: "--platform <platform>", description: "os/architecture that must be there", repeatable: true },
    { flags: "--growth <percent>", description: "by how much the size may change (default 50)" },
    { flags: "--files", description: "compare every file with the image accepted before" },
    { flags: "--accept", description: "accept against failed checks; needs --approver and --reason, and is recorded" },
    { flags: "--approver <name>", description: "who answers for it" },
    { flags: "--reason <text>", description: "why" },
    { flags: "--insecure-unvouched", description: "do not refuse an image that nobody vouches for; recorded" },
    { flags: "--attach <place>", description: "attach the signed evaluation to the image there, as a referrer" },
    { flags: "--out <file>", description: "also write the bundle to this file" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable report, one line for each look" },
  ],
  examples: [
    [
      "touchmark image watch registry.example.com/base/debian:12",
      "in a job; its exit code says whether anybody must look",
    ],
    ["touchmark image watch registry.example.com/app:1 --interval 1h --files", "goes on, and compares every file"],
    [
      'touchmark image watch registry.example.com/app:1 --accept --approver Ada --reason "the new port is wanted"',
      "a decision of a person",
    ],
  ],
  async run(invocation, terminal) {
    const [image] = invocation.arguments;
    if (image === undefined) throw cliErrors.make("CLI_USAGE", "expected HOST/NAME:TAG");
    const written = text(invocation, "interval");
    const interval = written === undefined ? undefined : parseAge(written);
    if (written !== undefined && (interval === undefined || interval < 1)) {
      throw cliErrors.make("CLI_USAGE", `expected --interval like 10m, found ${JSON.stringify(written.slice(0, 40))}`);
    }
    const asked = demandsOf(invocation);
    const factory = await openFactory();
    try {
      for (;;) {
        const code = await look(image, asked, { factory, invocation, terminal }).catch((error: unknown) => {
          // A registry that is away for a while does not end a watch that goes on.
          if (interval === undefined || !isFactoryError(error) || error.nature !== "unavailable") throw error;
          terminal.note(`${error.code}: ${oneLine(error.message)}`);
          return 4;
        });
        if (interval === undefined) return code;
        await sleep(interval * 1000, undefined, { signal: terminal.signal }).catch(() => undefined);
        if (terminal.signal.aborted) return code;
      }
    } finally {
      await factory.close();
    }
  },
};

type Asked = Pick<TagRequest, "demands" | "files" | "insecureUnvouched" | "approver">;

interface Surroundings {
  readonly factory: Factory;
  readonly invocation: Invocation;
  readonly terminal: Terminal;
}

async function look(image: string, asked: Asked, { factory, invocation, terminal }: Surroundings): Promise<number> {
  const source = await openImageSource(image, invocation, terminal);
  try {
    const { tag, digest, reader } = source;
    if (tag === undefined)
      throw watchErrors.make("WATCH_TAG_MISSING", `expected a tag to follow, found ${image.slice(0, 300)}`);
    const place = placeOf(image, source);
    const followed = { repository: place.name, tag };
    const report = await evaluateTag({ factory, reader, digest, followed, place, ...asked });
    const code = report.outcome === "refused" || report.outcome === "still-refused" ? 3 : 0;
    await hand(report, source, { factory, invocation, terminal });
    if (given(invocation, "json")) {
      const { outcome, evaluation, bundle } = report;
      terminal.print(
        JSON.stringify({
          outcome,
          ...followed,
          digest,
          evaluation,
          ...(bundle === undefined ? {} : { bundle }),
          exitCode: code,
        }),
      );
    } else show(report, `${followed.repository}:${tag}`, terminal);
    return code;
  } finally {
    source.close();
  }
}

/** Writes the bundle where the user wants it. */
async function hand(
  { bytes, evaluation, digest }: TagReport,
  { reader }: ImageSource,
  { factory, invocation, terminal }: Surroundings,
): Promise<void> {
  if (bytes === undefined) return;
  const out = text(invocation, "out");
  if (out !== undefined) writeNamedFile(terminal, out, bytes);
  const attach = text(invocation, "attach");
  if (attach === undefined) return;
  const target = await openImageTarget(attach, invocation, terminal);
  try {
    const { descriptor: subject } = await reader.manifest(digest);
    const predicateType = "https://touchmark.dev/predicates/tag-evaluation/v1";
    await publishArtifact(target.place, { subject, bundles: [{ bytes, predicateType }], created: factory.clock });
    terminal.note(`attached the evaluation (${evaluation.decision}) at ${oneLine(target.name)}`);
  } finally {
    target.close();
  }
}

function placeOf(image: string, source: ImageSource): { registry: string; repository: string; name: string } {
  if (/^(?:oci-dir|docker-archive):/.test(image)) {
    return { registry: "local", repository: source.reader.name, name: source.reader.name };
  }
  const { registry, repository } = parseRegistryReference(image.replace(/^registry:/, ""));
  return { registry, repository, name: `${registry}/${repository}` };
}

function demandsOf(invocation: Invocation): Asked {
  const growth = text(invocation, "growth") ?? "50";
  if (!/^\d{1,5}$/.test(growth))
    throw cliErrors.make("CLI_USAGE", `expected --growth in percent, found ${JSON.stringify(growth.slice(0, 40))}`);
  const name = text(invocation, "approver");
  const reason = text(invocation, "reason");
  const accepts = given(invocation, "accept");
  if (accepts !== (name !== undefined && reason !== undefined) || (name === undefined) !== (reason === undefined)) {
    throw cliErrors.make("CLI_USAGE", "expected --accept, --approver and --reason together");
  }
  return {
    demands: { platforms: texts(invocation, "platform"), growth: Number(growth) },
    files: given(invocation, "files"),
    insecureUnvouched: given(invocation, "insecureUnvouched"),
    approver: accepts && name !== undefined && reason !== undefined ? { name, reason } : undefined,
  };
}

function show({ outcome, digest, evaluation, bundle }: TagReport, name: string, terminal: Terminal): void {
  const { style } = terminal;
  if (outcome === "unchanged") {
    terminal.print(`${style.good("unchanged")} ${oneLine(name)} is ${digest}, accepted ${evaluation.createdAt}`);
    return;
  }
  const word = outcome === "accepted" ? style.good("accepted") : style.bad("refused");
  terminal.print(`${word} ${oneLine(name)} is ${digest}${outcome === "still-refused" ? ", as before" : ""}`);
  if (evaluation.previous !== undefined) terminal.print(`  accepted before: ${evaluation.previous}`);
  for (const { check, outcome: answer, message } of evaluation.checks) {
    const mark = answer === "passed" ? style.good(answer) : answer === "failed" ? style.bad(answer) : style.dim(answer);
    terminal.print(`  ${check.padEnd(12)} ${mark} ${oneLine(message)}`);
  }
  for (const change of evaluation.changes) terminal.print(`  ${style.dim("changed")} ${oneLine(change)}`);
  const { approver } = evaluation;
  if (approver !== undefined) terminal.print(`  accepted by ${oneLine(approver.name)}: ${oneLine(approver.reason)}`);
  if (bundle !== undefined) terminal.print(`  signed evaluation: ${bundle}`);
}
