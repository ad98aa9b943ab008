import { createHash } from "node:crypto";
import { openPackageMemory } from "@touchmark/materials";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Project, type Scene, statementsOf } from "../fixture.ts";
import { clientScript, npmPackage, packageLock, type TestRegistry, testRegistry } from "./registry.fixture.ts";

const missing = missingForRuns();

describe.skipIf(missing !== null)("what runs learn about packages", () => {
  let registry: TestRegistry;
  let scene: Scene;

  beforeAll(async () => {
    registry = await testRegistry();
    const materials = `touchmark: materials/v1\nupstreams:\n  npm: [{ name: own, url: "${registry.url}" }]\ngate: { new-publisher: refuse }\n`;
    scene = await openScene({ materials });
  });
  afterAll(async () => {
    await scene.close();
    await registry.close();
  });

  /** A registry that publishes one version of pad under somebody's name, and a project that fetches it. */
  function publishing(version: string, publisher: string): Project {
    const bytes = npmPackage("pad", version, `module.exports = "${version}";\n`);
    const tarball = `${registry.url}pad/-/pad-${version}.tgz`;
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    const row = { name: "pad", version, _npmUser: { name: publisher }, dist: { tarball, integrity } };
    const index = { name: "pad", "dist-tags": { latest: version }, versions: { [version]: row } };
    registry.answers.set("/pad", Buffer.from(JSON.stringify(index))).set(`/pad/-/pad-${version}.tgz`, bytes);
    return scene.project(
      `by-${publisher}-${version}`,
      `
  steps:
    fetch: { run: 'perl client.pl ${registry.url}pad ${tarball}', inputs: { source: /work/source }, network: fetch }
  artifacts:
    pad: { from: fetch, path: pad-${version}.tgz, kind: file }
`,
      { "client.pl": clientScript, "package-lock.json": packageLock([["pad", version, bytes]]) },
    );
  }

  test("R24: who published a package is remembered, and a stranger's version is refused by the next run", async () => {
    const first = await scene.run(publishing("1.0.0", "ada"));
    expect([first.status, first.steps[0]?.error?.message]).toEqual(["succeeded", undefined]);
    const memory = openPackageMemory(scene.factory.home.paths.materials);
    expect(memory.historyOf("pkg:npm/pad").versions).toMatchObject([{ version: "1.0.0", publisher: "ada" }]);
    expect(memory.knownNames("npm")).toEqual(["pad"]);
    const stranger = await scene.run(publishing("1.1.0", "mallory"));
    expect(stranger.steps[0]?.error?.code).toBe("GATE_NEW_PUBLISHER");
    expect((await scene.run(publishing("1.2.0", "ada"))).status).toBe("succeeded");
  });

  test("R17: what the control plane gave a fetch step is no toolchain of the host", async () => {
    const reading = scene.project(
      "reading",
      `
  steps:
    fetch: { run: 'cat /run/touchmark/materials/authority.pem /etc/ssl/certs/ca-certificates.crt > "$TOUCHMARK_OUTPUT/x"', inputs: { source: /work/source }, network: fetch }
  artifacts:
    x: { from: fetch, path: x, kind: file }
`,
    );
    const done = await scene.run(reading);
    expect([done.status, done.steps[0]?.error?.message]).toEqual(["succeeded", undefined]);
    const [environment] = await statementsOf(scene, done.run, "environment");
    const paths = (environment?.predicate["files"] as unknown as { path: string }[]).map((file) => file.path);
    expect(paths).toContainEqual(expect.stringMatching(/bin\/cat$/));
    expect(paths.filter((path) => path.startsWith("/run/") || path.includes("ca-certificates"))).toEqual([]);
  });

  test("R24: a run that did not succeed teaches no names", async () => {
    const done = await scene.run(
      scene.project(
        "failing",
        `
  steps:
    fetch: { run: exit 1, inputs: { source: /work/source }, network: fetch }
  artifacts: {}
`,
        { "package-lock.json": packageLock([["padd", "1.0.0", npmPackage("padd", "1.0.0", "")]]) },
      ),
    );
    expect(done.status).toBe("failed");
    expect(openPackageMemory(scene.factory.home.paths.materials).knownNames("npm")).not.toContain("padd");
  });
});
