import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest } from "@touchmark/core";
import { parseBundle, parseStatement } from "@touchmark/formats/evidence";
import { readPredicate, type Slimming } from "@touchmark/formats/predicates";
import { assembleImage, openLayout, streamLayer } from "@touchmark/image";
import { openFactory } from "@touchmark/pipeline";
import { findEvidence } from "@touchmark/registry";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";

let directory: string;
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-slim-")));
  process.env["TOUCHMARK_HOME"] = at("home");
  await (await openFactory({ create: true })).close();
  const part = (to: string, text: string) => ({ kind: "file", to, content: Buffer.from(text) }) as const;
  const layers = [
    { files: [part("/app/main", "main"), part("/usr/share/doc/a/README", "read me")] },
    { files: [part("/usr/share/doc/a/copyright", "mine")] },
  ];
  const spec = {
    platform: { os: "linux", architecture: "amd64" },
    layers,
    epoch: 0,
    user: "1000",
    entrypoint: ["/app/main"],
  };
  await assembleImage(spec, { out: openLayout(at("big")), scratch: at("scratch"), tag: "1" });
});

afterAll(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

const slim = (...words: string[]) => say(["image", "slim", ...words, "--platform", "linux/amd64"]);

/** The signed list beside an image, verified. */
async function listOf(place: string, digest: Digest): Promise<Slimming | undefined> {
  const factory = await openFactory();
  try {
    const root = readTrustRoot(await factory.trustRoot());
    const { trustDomain, issuer } = factory.names();
    const identity = `spiffe://${trustDomain}/attest`;
    for await (const { bytes } of findEvidence(openLayout(place), digest)) {
      const { statement } = verifyBundle(bytes, root, { artifact: digest, identity, issuer });
      const { content } = parseBundle(bytes);
      if (content.kind !== "envelope") continue;
      expect(parseStatement(content.payload).predicateType).toBe(statement.predicateType);
      return readPredicate("slimming", statement.predicate);
    }
    return undefined;
  } finally {
    await factory.close();
  }
}

test("X33: the new image has the files in no layer, and the signed list of what went beside it, also after a copy", async () => {
  const said = await slim(
    `oci-dir:${at("big")}:1`,
    `oci-dir:${at("small")}:slim`,
    "--remove",
    "usr/share/doc",
    "--keep",
    "**/copyright",
    "--json",
  );
  expect([said.code, said.err]).toEqual([0, ""]);
  const report = JSON.parse(said.out) as {
    result: { digest: Digest };
    source: { digest: Digest };
    removed: number;
    bundle: string;
  };
  expect(report.removed).toBe(1);
  const small = openLayout(at("small"));
  const { descriptor, bytes } = await small.manifest("slim");
  expect(descriptor.digest).toBe(report.result.digest);
  const paths: string[] = [];
  for (const layer of (JSON.parse(Buffer.from(bytes).toString("utf8")) as { layers: (typeof descriptor)[] }).layers) {
    for await (const { path, kind } of streamLayer(small, layer)) if (kind === "file") paths.push(path);
  }
  expect(paths).toEqual(["app/main", "usr/share/doc/a/copyright"]);

  const copied = await say(["image", "copy", `oci-dir:${at("small")}:slim`, `oci-dir:${at("copy")}:slim`]);
  expect(copied.code).toBe(0);
  for (const place of ["small", "copy"]) {
    const list = await listOf(at(place), report.result.digest);
    expect(list?.removed.map(({ path, bytes: count }) => [path, count])).toEqual([["usr/share/doc/a/README", 7]]);
    expect([list?.source.digest, list?.rules, list?.sbom]).toEqual([
      report.source.digest,
      { remove: ["usr/share/doc"], keep: ["**/copyright"] },
      "none",
    ]);
  }
});

test("X33: people see what became smaller; what cannot be done leaves no tag", async () => {
  const shown = await slim(`oci-dir:${at("big")}:1`, `oci-dir:${at("shown")}:slim`, "--remove", "usr");
  expect(shown.out).toMatch(
    /^slimmed sha256:.*\n {2}to oci-dir:.*:slim sha256:.*\n {2}6 paths removed: 3 files .* before, 1 /,
  );
  const none = await slim(`oci-dir:${at("big")}:1`, `oci-dir:${at("none")}:slim`, "--remove", "nowhere");
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining("SLIM_NOTHING_REMOVED") });
  await expect(openLayout(at("none")).manifest("slim")).rejects.toThrow();
  expect((await slim(`oci-dir:${at("big")}:1`, `oci-dir:${at("none")}:slim`)).err).toContain("CLI_USAGE");
  expect((await slim(`oci-dir:${at("big")}:1`, `oci-dir:${at("none")}`, "--from-trace", "latest")).err).toContain(
    "CLI_USAGE",
  );
  expect((await slim(`oci-dir:${at("big")}:1`, `oci-dir:${at("none")}`, "--from-trace", "latest/test")).err).toContain(
    "RUN_UNKNOWN",
  );
});
