import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rfc3339, systemClock } from "@touchmark/core";
import { buildReview, reviewSubject, reviewType } from "@touchmark/materials";
import { attestArtifact, reviewDirectory } from "@touchmark/pipeline";
import { missingForRuns, openScene, type Scene, statementsOf } from "@touchmark/pipeline/fixture";
import { forgeTar } from "@touchmark/test-kit/archives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const canary = "canary-4b1f-token-of-the-user";
const missing = missingForRuns() ?? (spawnSync("curl", ["--version"]).status === 0 ? null : "curl is not installed");
const tarball = gzipSync(forgeTar([{ name: "package/package.json", content: '{"name":"inner","version":"1.0.0"}' }]));

const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;

describe.skipIf(missing !== null)(`a private registry${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let scene: Scene;
  let server: Server;
  let address: string;
  const asked: (string | undefined)[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      const isGood = request.headers.authorization === `Bearer ${canary}`;
      const isIndex = request.url === "/inner";
      response.writeHead(isGood ? 200 : 401, {
        "content-type": isIndex ? "application/json" : "application/octet-stream",
      });
      response.end(isGood ? (isIndex ? index() : tarball) : "no");
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    scene = await openScene({
      materials: `touchmark: materials/v1
upstreams:
  npm: [{ name: private, url: "${address}", credential: packages }]
credentials:
  packages: { host: "${new URL(address).host}", purpose: fetch, steps: [fetch], from: { environment: PACKAGES_TOKEN } }
`,
    });
  });
  afterAll(async () => {
    server.close();
    await scene.close();
  });

  /** The registry's own word about the package: published an hour ago. */
  const index = () =>
    JSON.stringify({
      name: "inner",
      "dist-tags": { latest: "1.0.0" },
      versions: {
        "1.0.0": { name: "inner", version: "1.0.0", dist: { tarball: `${address}inner/-/inner-1.0.0.tgz`, integrity } },
      },
      time: { "1.0.0": new Date(Date.now() - 3_600_000).toISOString() },
    });
  const environment = { PACKAGES_TOKEN: canary };
  const project = (name: string, step = "fetch") =>
    scene.project(
      name,
      `
  steps:
    ${step}:
      run: |
        env > "$TOUCHMARK_OUTPUT/env"
        curl -sfS --max-time 20 -o "$TOUCHMARK_OUTPUT/inner.tgz" ${address}inner/-/inner-1.0.0.tgz
      inputs: { source: /work/source }
      network: fetch
  artifacts:
    env: { from: ${step}, path: env, kind: file }
`,
      {
        "package-lock.json": JSON.stringify({
          name: "p",
          version: "1.0.0",
          lockfileVersion: 3,
          packages: {
            "": { name: "p", version: "1.0.0", dependencies: { inner: "1.0.0" } },
            "node_modules/inner": {
              version: "1.0.0",
              resolved: `${address}inner/-/inner-1.0.0.tgz`,
              integrity,
            },
          },
        }),
      },
    );

  /** Files of the home that hold the secret in any of its usual spellings. */
  function leaks(directory: string): string[] {
    const spellings = [canary, Buffer.from(canary).toString("base64").slice(0, -4), encodeURIComponent(canary)];
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => spellings.some((each) => readFileSync(path).includes(each)));
  }

  test("AT17: attack: the change of an outsider asks for the private package", async () => {
    const before = asked.length;
    const failed = await scene.run(project("fork"), { environment, trusted: false, cache: false });
    expect(failed.status).toBe("refused");
    expect(JSON.stringify(failed)).toContain("CREDENTIAL_TRIGGER_UNTRUSTED");
    expect(asked.slice(before)).toEqual([]);
    expect(JSON.stringify(failed)).not.toContain(canary);
  });

  test("AT16: attack: another step than the bound one asks for the private package", async () => {
    const before = asked.length;
    const failed = await scene.run(project("other-step", "sneak"), { environment, cache: false });
    expect(failed.status).toBe("failed");
    // It may ask as anybody may, and is told no.
    expect(new Set(asked.slice(before))).toEqual(new Set([undefined]));
  });

  test("AT4, AT16: attack: the step looks for the token in its environment, and everybody in the home", async () => {
    const done = await scene.run(project("token"), { environment });
    expect(asked).toContain(`Bearer ${canary}`);
    const [env] = done.artifacts.map((each) => readFileSync(scene.factory.content.path(each.digest), "utf8"));
    expect(env).toContain("TOUCHMARK_OUTPUT");
    expect(env).not.toContain(canary);
    const [issuance] = await statementsOf(scene, done.run, "credential-issuance");
    expect(issuance?.predicate["uses"]).toEqual([
      {
        name: "packages",
        kind: "environment",
        host: new URL(address).host,
        purpose: "fetch",
        step: "fetch",
        requests: 1,
      },
    ]);
    expect(leaks(scene.home)).toEqual([]);
    expect(JSON.stringify(done.events)).not.toContain(canary);
  });

  test("AT6: attack: a version of an hour ago, by a client that asks for no index", async () => {
    const young = project("young");
    const file = readFileSync(join(young.directory, "touchmark.yaml"), "utf8");
    young.write({ "touchmark.yaml": file.replace("pipelines:", "materials: { minimum-age: 7d }\npipelines:") });
    young.commit();
    const done = await scene.run(young, { environment, cache: false });
    expect(done.status).toBe("refused");
    expect(JSON.stringify(done)).toMatch(/GATE_TOO_YOUNG.*to be published for 7 days/);
  });

  test("AT9: attack: a package that a signed review denies is in the lockfile all the same", async () => {
    const packages = "pkg:npm/inner";
    const expires = rfc3339(new Date(systemClock.now().getTime() + 86_400_000));
    const words = {
      packages,
      decision: "deny",
      party: "second",
      approver: "Ada",
      health: "h",
      disclosure: "d",
    } as const;
    const review = buildReview({ ...words, reasons: ["no"], expires }, systemClock);
    const { bytes } = await attestArtifact(scene.factory, {
      artifact: { digest: reviewSubject(packages) },
      type: reviewType(),
      predicate: Buffer.from(JSON.stringify(review)),
    });
    mkdirSync(reviewDirectory(scene.factory), { recursive: true });
    writeFileSync(join(reviewDirectory(scene.factory), "denial.json"), bytes);
    const done = await scene.run(project("denied"), { environment, cache: false });
    expect(JSON.stringify(done)).toContain("GATE_REVIEW_DENIES");
  });
});
