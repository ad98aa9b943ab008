import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARTIFACT, mintBundle, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle } from "./bundle.ts";
import { prepare } from "./prepare.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-prepare-test-"));
const dist = join(directory, "dist");
const world = mintWorld({ at: new Date() });

beforeAll(async () => {
  await bundle(dist);
  await prepare(dist);
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  writeFileSync(join(directory, "root"), trustedRootBytes(world));
  writeFileSync(join(directory, "bundle"), mintBundle(world).bytes);
  writeFileSync(join(directory, "artifact"), ARTIFACT);
  writeFileSync(join(directory, "other"), "another artifact\n");
});
afterAll(() => rmSync(directory, { recursive: true }));

function verify(artifact: string): { status: number | null; answer: unknown } {
  const demands = ["--trust-root", "root", "--identity", world.identity, "--issuer", world.issuer, "--json"];
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(dist, "main.js"), "verify", artifact, "--bundle", "bundle", ...demands],
    { cwd: directory, encoding: "utf8" },
  );
  return { status, answer: JSON.parse(stdout) };
}

test("P5: a prepared verify answers as the bundled one does, and one made for another Node is passed over", () => {
  const files = [join(dist, ".prepared", "verify.cache"), join(dist, ".prepared", "verify.js")] as const;
  const prepared = [verify("artifact"), verify("other")];
  expect(prepared.map(({ status }) => status)).toEqual([0, 3]);
  const cache = readFileSync(files[0]);
  // What V8 wrote begins with its version and flags.
  writeFileSync(files[0], Buffer.concat([Buffer.alloc(64, 7), cache.subarray(64)]));
  expect([verify("artifact"), verify("other")]).toEqual(prepared);
  rmSync(join(dist, ".prepared"), { recursive: true });
  expect([verify("artifact"), verify("other")]).toEqual(prepared);
});

test("P5: what is prepared is out of sight of the package", () => {
  // Programs of the bundle may be named after caches; what V8 wrote ends in `.cache`.
  const seen = readdirSync(dist).filter((name) => !name.startsWith("."));
  expect(seen.filter((name) => name.endsWith(".cache"))).toEqual([]);
  expect(seen).toContain("main.js");
});
