import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rfc3339 } from "@touchmark/core";
import { parsePlatform } from "@touchmark/formats/oci";
import { predicateType, readPredicate, type Slimming } from "@touchmark/formats/predicates";
import { type SlimmedImage, slimImage } from "@touchmark/image";
import { attestArtifact, type Factory, openFactory, type TracedPaths, tracedPaths } from "@touchmark/pipeline";
import { publishArtifact } from "@touchmark/registry";
import { type Command, given, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { openImageSource, openImageTarget, registryOptions } from "../../image-source.ts";
import { size } from "../../output/quantity.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark image slim`: a smaller image, and the evidence of what it lost. */
export const command: Command = {
  name: "image slim",
  summary: "make an image smaller, and keep a signed list of what went",
  description:
    "Makes the image again in one layer without the files that the patterns name, or without every file that recorded steps never read. Owners, modes, times and configuration stay. What went is listed with digests and owning Debian packages in a statement that is signed as spiffe://TD/attest, logged, and attached to the new image before its tag is set; `touchmark image copy` takes it along. Patterns are paths of the image: * stands within a name, ** for any depth.",
  arguments: [
    {
      name: "source",
      description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG], docker-archive:PATH",
      required: true,
    },
    { name: "target", description: "HOST/NAME[:TAG], oci-dir:PATH[:TAG]", required: true },
  ],
  options: [
    { flags: "--remove <pattern>", description: "paths that go, with what is below them", repeatable: true },
    { flags: "--keep <pattern>", description: "paths that stay all the same", repeatable: true },
    { flags: "--from-trace <run/step>", description: "what none of these recorded steps read goes", repeatable: true },
    { flags: "--platform <platform>", description: "os/architecture of an index (default: this machine's)" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    [
      'touchmark image slim registry.example.com/app:1 registry.example.com/app:1-slim --remove "usr/share/doc/**" --keep "usr/share/doc/*/copyright"',
      "without documentation, but for licences",
    ],
    [
      "touchmark image slim oci-dir:./image oci-dir:./image:slim --from-trace latest/test",
      "only what the step test of the last run read",
    ],
  ],
  async run(invocation, terminal) {
    const [from, to] = invocation.arguments;
    if (from === undefined || to === undefined) throw cliErrors.make("CLI_USAGE", "expected SOURCE and TARGET");
    const remove = texts(invocation, "remove");
    const keep = texts(invocation, "keep");
    const traces = texts(invocation, "fromTrace");
    if (remove.length === 0 && traces.length === 0)
      throw cliErrors.make("CLI_USAGE", "expected --remove or --from-trace");
    const platform = text(invocation, "platform");
    const factory = await openFactory();
    const scratch = mkdtempSync(join(tmpdir(), "touchmark-slim-"));
    const source = await openImageSource(from, invocation, terminal);
    try {
      const target = await openImageTarget(to, invocation, terminal);
      try {
        const traced = await Promise.all(traces.map((each) => readTrace(factory, each)));
        const slimmed = await slimImage({
          reader: source.reader,
          digest: source.digest,
          ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
          rules: { remove, keep, ...(traced.length === 0 ? {} : { used: usedBy(traced) }) },
          out: target.place,
          scratch,
        });
        const predicate = slimmingOf(slimmed, {
          factory,
          remove,
          keep,
          traced,
          from: source.reader.name,
          to: target.name,
        });
        const type = predicateType("slimming");
        const signed = await attestArtifact(factory, {
          artifact: { digest: slimmed.descriptor.digest },
          type,
          predicate: Buffer.from(JSON.stringify(predicate)),
        });
        const published = await publishArtifact(target.place, {
          subject: slimmed.descriptor,
          bundles: [{ bytes: signed.bytes, predicateType: type }],
          created: factory.clock,
          ...(target.tag === undefined ? {} : { tag: target.tag }),
        });
        const { removed, ...counts } = slimmed;
        const report = {
          ...counts,
          removed: removed.length,
          bundle: signed.bundle,
          referrer: published.referrers[0]?.digest,
          target: target.name,
          tag: target.tag,
        };
        if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
        else
          show(slimmed, `${target.name}${target.tag === undefined ? "" : `:${target.tag}`}`, signed.bundle, terminal);
        return 0;
      } finally {
        target.close();
      }
    } finally {
      source.close();
      rmSync(scratch, { recursive: true, force: true });
      await factory.close();
    }
  },
};

async function readTrace(factory: Factory, words: string): Promise<TracedPaths> {
  const slash = words.lastIndexOf("/");
  if (slash < 1)
    throw cliErrors.make("CLI_USAGE", `expected --from-trace RUN/STEP, found ${JSON.stringify(words.slice(0, 80))}`);
  return tracedPaths(factory, words.slice(0, slash), words.slice(slash + 1));
}

function usedBy(traced: readonly TracedPaths[]): { paths: readonly string[]; complete: boolean } {
  return { paths: traced.flatMap(({ paths }) => paths), complete: traced.every(({ complete }) => complete) };
}

interface Facts {
  readonly factory: Factory;
  readonly remove: readonly string[];
  readonly keep: readonly string[];
  readonly traced: readonly TracedPaths[];
  readonly from: string;
  readonly to: string;
}

function slimmingOf(slimmed: SlimmedImage, { factory, remove, keep, traced, from, to }: Facts): Slimming {
  const slimming: Slimming = {
    run: "image-slim",
    createdAt: rfc3339(factory.clock.now()),
    predecessors: traced.map(({ run, step, bundle }) => ({ name: `${run}/step/${step}/trace`, digest: bundle })),
    platform: slimmed.platform,
    source: { name: from, ...slimmed.source },
    result: { name: to, ...slimmed.result },
    rules: {
      remove,
      keep,
      ...(traced.length === 0 ? {} : { trace: traced.map(({ run, step, bundle }) => ({ run, step, digest: bundle })) }),
    },
    removed: slimmed.removed,
    packages: slimmed.packages,
    sbom: "none",
  };
  readPredicate("slimming", slimming);
  return slimming;
}

function show(
  { source, result, removed, packages }: SlimmedImage,
  target: string,
  bundle: string,
  terminal: Terminal,
): void {
  terminal.print(`slimmed ${source.digest}\n  to ${oneLine(target)} ${result.digest}`);
  terminal.print(
    `  ${removed.length} paths removed: ${source.files} files (${size(source.bytes)}) before, ${result.files} (${size(result.bytes)}) now`,
  );
  const whole = packages.filter((each) => each.whole).length;
  if (packages.length > 0) terminal.print(`  ${packages.length} Debian packages lost files, ${whole} of them all`);
  terminal.print(`  signed list of what went: ${bundle}`);
}
