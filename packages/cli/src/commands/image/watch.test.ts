import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { assembleImage, type ImageSpec, openLayout } from "@touchmark/image";
import { attestArtifact, openFactory } from "@touchmark/pipeline";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  startRegistry,
} from "@touchmark/registry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";

let directory: string;
let home: string;

beforeAll(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-watch-")));
  home = join(directory, "home");
  process.env["TOUCHMARK_HOME"] = home;
  await (await openFactory({ create: true })).close();
});

afterAll(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

/** Puts an image under the tag `1` of a layout. */
async function put(name: string, more: Partial<ImageSpec> = {}, content = "app"): Promise<string> {
  const file = { kind: "file", to: "/app", content: Buffer.from(content), mode: 0o755 } as const;
  const spec: ImageSpec = {
    platform: { os: "linux", architecture: "amd64" },
    layers: [{ files: [file] }],
    epoch: 0,
    user: "1000",
    entrypoint: ["/app"],
    ...more,
  };
  const out = openLayout(join(directory, name));
  const { descriptor } = await assembleImage(spec, { out, scratch: join(directory, "scratch"), tag: "1" });
  return descriptor.digest;
}

interface Report {
  readonly outcome: string;
  readonly digest: string;
  readonly bundle?: string;
  readonly evaluation: {
    readonly previous?: string;
    readonly approver?: { readonly name: string };
    readonly changes: readonly string[];
    readonly checks: readonly { readonly check: string; readonly outcome: string; readonly message: string }[];
  };
}

async function watch(name: string, ...words: string[]): Promise<{ code: number; report: Report; failed: string[] }> {
  const { code, out } = await say(["image", "watch", `oci-dir:${join(directory, name)}:1`, "--json", ...words]);
  const report = JSON.parse(out) as Report;
  const failed =
    report.evaluation?.checks.filter(({ outcome }) => outcome === "failed").map(({ check }) => check) ?? [];
  return { code, report, failed };
}

test("X32: an image that nobody vouches for is refused, signed once, and not accepted by looking again", async () => {
  const digest = await put("unvouched");
  const first = await watch("unvouched");
  expect([first.code, first.report.outcome, first.report.digest, first.failed]).toEqual([
    3,
    "refused",
    digest,
    ["vouchers"],
  ]);
  expect(first.report.bundle).toMatch(/^sha256:/);
  const again = await watch("unvouched");
  expect([again.code, again.report.outcome, again.report.bundle]).toEqual([3, "still-refused", undefined]);
});

test("X32: what was accepted is remembered, and a new digest is compared with it", async () => {
  const old = await put("followed");
  const first = await watch("followed", "--insecure-unvouched");
  expect([first.code, first.report.outcome]).toEqual([0, "accepted"]);
  expect(first.report.evaluation.checks[0]).toMatchObject({ check: "vouchers", outcome: "not-evaluated" });
  expect((await watch("followed")).report.outcome).toBe("unchanged");

  await put("followed", {
    user: "0",
    allow: ["root-user"],
    entrypoint: ["/other"],
    ports: ["8080"],
    environment: { LD_PRELOAD: "/x.so" },
  });
  const changed = await watch("followed", "--insecure-unvouched");
  expect([changed.code, changed.report.evaluation.previous]).toEqual([3, old]);
  expect(changed.failed).toEqual(["user", "entrypoint", "ports", "environment"]);
  expect(changed.report.evaluation.changes).toContain("linux/amd64: user: 1000 -> 0");

  const accepted = await watch("followed", "--accept", "--approver", "Ada", "--reason", "wanted");
  expect([accepted.code, accepted.report.evaluation.approver?.name]).toEqual([0, "Ada"]);
  const shown = await say(["image", "watch", `oci-dir:${join(directory, "followed")}:1`]);
  expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("unchanged")]);
});

test("X32: size, platforms and files are compared when asked for", async () => {
  await put("sized");
  await watch("sized", "--insecure-unvouched");
  const noise = Array.from({ length: 4000 }, (_, i) => String((i * 7919) % 104729)).join("");
  await put("sized", {}, noise);
  const grown = await watch("sized", "--insecure-unvouched", "--platform", "linux/arm64", "--files");
  expect(grown.failed).toEqual(["platforms", "size"]);
  const setuid = { kind: "file", to: "/su", content: Buffer.from("x"), mode: 0o4755 } as const;
  await put("sized", { layers: [{ files: [setuid] }], allow: ["setuid"] });
  const risen = await watch("sized", "--insecure-unvouched", "--files");
  expect(risen.failed).toEqual(["files"]);
  expect(risen.report.evaluation.checks.at(-1)?.message).toBe(
    "1 files are new, 1 are gone, 0 differ; new with rights of others: su",
  );
});

test("X32: the evaluation is attached to the image where the user says, and written out", async () => {
  const digest = await put("attached");
  const place = `oci-dir:${join(directory, "attached")}`;
  const out = join(directory, "evaluation.json");
  await watch("attached", "--insecure-unvouched", "--attach", place, "--out", out);
  const found: string[] = [];
  for await (const each of openLayout(join(directory, "attached")).referrers(digest as `sha256:${string}`)) {
    found.push(each.artifactType ?? "");
  }
  expect(found).toEqual(["application/vnd.dev.sigstore.bundle.v0.3+json"]);
  expect(JSON.parse(readFileSync(out, "utf8"))).toHaveProperty("dsseEnvelope");
});

test("X32: what was remembered counts only while it verifies; what is no tag or no image is refused", async () => {
  await put("damaged");
  await watch("damaged", "--insecure-unvouched");
  const said = () => say(["image", "watch", `oci-dir:${join(directory, "damaged")}:1`, "--json"]);
  const kept = readdirSync(join(home, "trust", "tags")).map((name) =>
    join(home, "trust", "tags", name, "accepted.sigstore.json"),
  );
  const texts = kept.flatMap((file) => {
    try {
      return [[file, readFileSync(file)] as const];
    } catch {
      return [];
    }
  });
  for (const [file] of texts) writeFileSync(file, "{}");
  expect([(await said()).code, JSON.parse((await said()).out).code]).toEqual([3, "WATCH_STATE_INVALID"]);
  // An evaluation of another tag is none of this one.
  const [, other] = texts[0] as readonly [string, Buffer];
  for (const [file] of texts) writeFileSync(file, other);
  const codes = await Promise.all(
    ["damaged", "followed"].map(async (name) => {
      const { out } = await say(["image", "watch", `oci-dir:${join(directory, name)}:1`, "--json"]);
      return (JSON.parse(out) as { code?: string }).code;
    }),
  );
  expect(codes).toContain("WATCH_STATE_INVALID");
  for (const [file, bytes] of texts) writeFileSync(file, bytes);

  const place = join(directory, "damaged");
  expect(JSON.parse((await say(["image", "watch", `oci-dir:${place}`, "--json"])).out).code).toBe("WATCH_TAG_MISSING");
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] };
  await openLayout(place).putManifest(Buffer.from(JSON.stringify(index)), index.mediaType, "empty");
  expect(JSON.parse((await say(["image", "watch", `oci-dir:${place}:empty`, "--json"])).out).code).toBe(
    "WATCH_NOT_AN_IMAGE",
  );
  for (const words of [["--accept"], ["--growth", "much"], ["--interval", "soon"]]) {
    expect((await say(["image", "watch", `oci-dir:${place}:1`, ...words])).code).toBe(2);
  }
});

test("X32: a signature that images.yaml names lets the image of a registry in, and no other does", async () => {
  const registry = await startRegistry({
    backend: memoryRegistryBackend(),
    authority: openAuthority(),
    listen: { host: "127.0.0.1", port: 0 },
  });
  const host = registry.address;
  try {
    const digest = await put("signed");
    const plain = ["--insecure-plain-http", host];
    const there = `${host}/base/app:1`;
    const copied = await say(["image", "copy", `oci-dir:${join(directory, "signed")}:1`, there, ...plain]);
    expect([copied.code, copied.err]).toEqual([0, expect.any(String)]);
    const look = async (...words: string[]) => {
      const { code, out } = await say(["image", "watch", there, "--json", ...plain, ...words]);
      return { code, report: JSON.parse(out) as Report };
    };
    const factory = await openFactory();
    const { trustDomain, issuer } = factory.names();
    const root = await factory.trustRoot();
    const type = "https://sigstore.dev/cosign/sign/v1";
    const { bytes } = await attestArtifact(factory, {
      artifact: { digest: digest as `sha256:${string}` },
      type,
      predicate: Buffer.from("{}"),
    });
    await factory.close();
    writeFileSync(join(home, "root.json"), root);
    const rule = (identity: string) =>
      writeFileSync(
        join(home, "images.yaml"),
        `touchmark: images/v1\ntrust:\n  - { match: "${host}/base/**", format: sigstore, trust-root: root.json, identity: "${identity}", issuer: "${issuer}" }\n`,
      );
    rule(`spiffe://${trustDomain}/attest`);
    const first = (await look("--attach", `${host}/base/app`)).report.evaluation.checks[0];
    expect(first).toMatchObject({ check: "vouchers", outcome: "failed" });
    // The refusal is signed by the very identity, and lies there now.
    expect((await look()).code).toBe(3);

    const client = openRegistryClient({ environment: {}, insecurePlainHttp: [host] });
    const place = client.repository({ registry: host, repository: "base/app" });
    const { descriptor: subject } = await place.manifest(digest);
    await publishArtifact(place, { subject, bundles: [{ bytes, predicateType: type }], created: systemClock });
    client.close();
    rule(`spiffe://${trustDomain}/somebody-else`);
    expect((await look()).code).toBe(3);
    rule(`spiffe://${trustDomain}/attest`);
    const { code, report } = await look();
    expect([code, report.outcome]).toEqual([0, "accepted"]);
    expect(report.evaluation.checks[0]).toMatchObject({
      outcome: "passed",
      message: `sigstore: spiffe://${trustDomain}/attest`,
    });
  } finally {
    rmSync(join(home, "images.yaml"), { force: true });
    await registry.close();
  }
});
