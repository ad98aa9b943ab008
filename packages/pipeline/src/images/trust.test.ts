import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { builderId } from "@touchmark/identity";
import { memoryRegistryBackend, openAuthority, type RunningRegistry, startRegistry } from "@touchmark/registry";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Performed, type Scene, statementsOf } from "../fixture.ts";
import { bootstrap } from "./images.fixture.ts";
import { publishFromRun } from "./publish-run.ts";

const missing = missingForRuns();
const [cosign, notation] = [findProgram("cosign"), findProgram("notation")];
let maker: Scene;
let user: Scene;
let registry: RunningRegistry;
let host = "";
let image = "";

const body = (name: string) => `
    steps:
      make:
        image: ${name}
        run: cat /etc/made-of > "$TOUCHMARK_OUTPUT/out.txt"
        limits: { memory: 512MiB, time: 2m }
    artifacts:
      out: { from: make, path: out.txt, kind: file }
`;

/** What a program says; the registry that it asks lives in this process, which must not wait idly for it. */
function told(program: string | undefined, words: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
  return new Promise<string>((resolve, reject) => {
    const ended = (error: Error | null, out: string, err: string) =>
      error === null ? resolve(out + err) : reject(new Error(`${error.message}\n${err}`));
    execFile(program ?? "", words, { ...options, encoding: "utf8", timeout: 50_000 }, ended);
  });
}

/** Runs a step in the image with a configuration of images, in a factory that did not build it. */
async function run(
  project: string,
  rule: string,
  files: Readonly<Record<string, string>> = {},
  name = image,
): Promise<Performed> {
  for (const [file, text] of Object.entries(files)) writeFileSync(join(user.home, file), text);
  writeFileSync(join(user.home, "images.yaml"), `touchmark: images/v1\ntrust:\n  - ${rule}\n`);
  return user.run(user.project(project, body(name), { a: "a" }));
}

const vouchers = async (done: Performed) => {
  const [images] = await statementsOf(user, done.run, "worker-images");
  return (
    images?.predicate["images"] as unknown as { vouchers: { by: string; identity: string }[]; ancestry: unknown }[]
  )[0];
};

describe.skipIf(missing !== null)(`images of others${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    [maker, user] = [await openScene(), await openScene()];
    registry = await startRegistry({
      ...{ backend: memoryRegistryBackend(), authority: openAuthority(), clock: systemClock },
      listen: { host: "127.0.0.1", port: 0 },
      closeSeconds: 0,
    });
    host = new URL(registry.url).host;
    const made = await maker.run(maker.project("tools", bootstrap, { touched: "made elsewhere\n" }));
    const options = { environment: {}, to: `${host}/tools/base`, tags: ["1"] };
    const [published] = await publishFromRun(maker.factory, made.run, options);
    image = published?.reference ?? "";
  });
  afterAll(async () => {
    await registry.close();
    await maker.close();
    await user.close();
  });

  test("R25: a bundle of another factory counts by its trust root and identity, and brings the run offline", async () => {
    const { trustDomain, issuer } = maker.factory.names();
    const files = { "maker.json": Buffer.from(await maker.factory.trustRoot()).toString("utf8") };
    const rule = (identity: string, more = "") =>
      `{ match: "${host}/tools/**", format: sigstore, trust-root: maker.json, identity: "${identity}", issuer: "${issuer}"${more} }`;
    const wrong = await run("wrong", rule(`spiffe://${trustDomain}/somebody`), files);
    expect(wrong).toMatchObject({ status: "refused", error: { code: "STEP_IMAGE_UNTRUSTED" } });
    const asked = ", attestations: ['https://slsa.dev/provenance/v1']";
    const done = await run("right", rule(builderId(trustDomain), asked), files);
    expect(done).toMatchObject({ status: "succeeded" });
    expect(await vouchers(done)).toMatchObject({ ancestry: [{ origin: "signed" }] });
    expect((await vouchers(done))?.vouchers).toContainEqual(
      expect.objectContaining({ by: "sigstore", predicateType: "https://slsa.dev/provenance/v1" }),
    );
    const other = ", attestations: ['https://example.org/scan/v1']";
    expect(await run("unattested", rule(builderId(trustDomain), other), files)).toMatchObject({
      error: { code: "STEP_IMAGE_UNTRUSTED" },
    });
    await run("again", rule(builderId(trustDomain)), files);
    const offline = await user.run(user.project("offline", body(image), { a: "b" }), { offline: true });
    expect(offline).toMatchObject({ status: "succeeded" });
  });

  test("R25: an image that no rule speaks of is refused, whoever signed it", async () => {
    const refused = await run("none", `{ match: "${host}/other/**", format: cosign, keys: [any.pem] }`, {
      "any.pem": "x",
    });
    expect(refused).toMatchObject({ error: { code: "STEP_IMAGE_UNTRUSTED" } });
  });

  test.skipIf(cosign === undefined)(
    "R25: a signature of cosign's former kind counts by the key that a rule names",
    async () => {
      const environment = { ...process.env, COSIGN_PASSWORD: "", HOME: user.directory };
      const at = { cwd: user.directory, env: environment };
      await told(cosign, ["generate-key-pair"], at);
      const flags = ["--yes", "--key", "cosign.key", "--tlog-upload=false", "--new-bundle-format=false"];
      expect(
        await told(cosign, ["sign", ...flags, "--use-signing-config=false", "--allow-http-registry", image], at),
      ).toContain("Pushing signature");
      const key = readFileSync(join(user.directory, "cosign.pub"), "utf8");
      const rule = `{ match: ${host}/tools/base, format: cosign, keys: [cosign.pub] }`;
      // The image was brought here before it was signed: a new copy brings the signature.
      const done = await run("cosigned", rule, { "cosign.pub": key }, `${host}/tools/base:1`);
      expect((await vouchers(done))?.vouchers).toMatchObject([{ by: "cosign" }]);
      await told(cosign, ["generate-key-pair", "--output-key-prefix", "other"], at);
      const other = readFileSync(join(user.directory, "other.pub"), "utf8");
      expect(await run("otherkey", rule, { "cosign.pub": other })).toMatchObject({
        error: { code: "STEP_IMAGE_UNTRUSTED" },
      });
    },
  );

  test.skipIf(notation === undefined)(
    "R25: a signature of Notation counts by the certificate that a rule names",
    async () => {
      const home = join(user.directory, "notation");
      mkdirSync(home, { recursive: true });
      const at = { cwd: home, env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home } };
      await told(notation, ["cert", "generate-test", "--default", "touchmark.test"], at);
      expect(await told(notation, ["sign", "--insecure-registry", image], at)).toContain("Successfully signed");
      const store = join(home, "notation", "truststore", "x509", "ca", "touchmark.test");
      expect(existsSync(store)).toBe(true);
      const pem = readFileSync(join(store, readdirSync(store)[0] ?? ""), "utf8");
      const rule = `{ match: ${host}/tools/base, format: notation, keys: [notation.pem] }`;
      const done = await run("notated", rule, { "notation.pem": pem }, `${host}/tools/base:1`);
      expect((await vouchers(done))?.vouchers).toMatchObject([{ by: "notation" }]);
    },
  );
});
