import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assembleImage, assembleIndex, type ImageSpec, openLayout } from "@touchmark/image";
import { afterAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";
import { imageTable } from "../image.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-cli-image-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const fresh = () => mkdtempSync(join(scratch, "t-"));

async function build(directory: string, tag: string, change: Partial<ImageSpec> = {}, content = "one") {
  const out = openLayout(directory);
  const files = [{ kind: "file", to: "/app/main", content: Buffer.from(content) } as const];
  const spec: ImageSpec = {
    platform: { os: "linux", architecture: "amd64" },
    layers: [{ files, createdBy: "step build" }],
    epoch: 1_700_000_000,
    user: "1001:1001",
    entrypoint: ["/app/main"],
    ports: ["8080"],
    ...change,
  };
  return assembleImage(spec, { base: out, out, scratch: join(scratch, "layers"), tag });
}

test("X30: every subcommand of image has help with examples", async () => {
  for (const row of imageTable) {
    const said = await say(["image", row.name, "--help"]);
    expect([row.name, said.code]).toEqual([row.name, 0]);
    expect(said.out).toMatch(/Examples:\n {2}touchmark image/);
  }
});

test("X30: inspect shows platforms, layers, configuration and referrers", async () => {
  const directory = fresh();
  const amd = await build(directory, "amd", {
    environment: { A: "\u001b[2J" },
    labels: { note: "x" },
    directory: "/app",
    command: ["go"],
  });
  const plain = await say(["image", "inspect", `oci-dir:${directory}`]);
  expect(plain.code).toBe(0);
  expect(plain.out).toContain(amd.descriptor.digest);
  expect(plain.out).toMatch(/user +1001:1001/);
  expect(plain.out).toContain("step build");
  expect(plain.out).not.toContain("\u001b[2J");
  const arm = await build(directory, "arm", { platform: { os: "linux", architecture: "arm64" } });
  const index = await assembleIndex([amd, arm], { out: openLayout(directory), tag: "both" });
  const said = JSON.parse((await say(["image", "inspect", `oci-dir:${directory}:both`, "--json"])).out);
  expect(said).toMatchObject({
    digest: index.digest,
    tag: "both",
    kind: "index",
    referrers: { count: 0, isAll: true },
  });
  expect(said.platforms.map(({ platform }: { platform: string }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
  expect(said.platforms[0].layers[0]).toMatchObject({
    compression: "gzip",
    createdBy: "step build",
    diffId: amd.layers[0]?.diffId,
  });
});

test("X30: diff ends with 1 when images differ, and says in what", async () => {
  const directory = fresh();
  await build(directory, "one");
  await build(directory, "zstd", { compression: "zstd" });
  await build(directory, "two", { user: "7" }, "two");
  const diff = (a: string, b: string, ...more: string[]) =>
    say(["image", "diff", `oci-dir:${directory}:${a}`, `oci-dir:${directory}:${b}`, ...more]);
  expect(await diff("one", "one")).toMatchObject({ code: 0, out: expect.stringContaining("the same bytes") });
  expect((await diff("one", "zstd")).code).toBe(1);
  expect(await diff("one", "zstd", "--content")).toMatchObject({
    code: 0,
    out: expect.stringContaining("(compressor)"),
  });
  const said = await diff("one", "two");
  expect(said.code).toBe(1);
  expect(said.out).toContain("config: config.User: 1001:1001 → 7");
  expect(said.out).toContain("/app/main: content (content)");
  expect(said.out).toContain("text: line 1: one → two");
  expect(JSON.parse((await diff("one", "two", "--json")).out)).toMatchObject({
    verdict: "different",
    causes: ["content"],
  });
  expect((await diff("one", "two", "--files", "x")).code).toBe(2);
});

test("X30: export writes a directory or an archive, over nothing", async () => {
  const directory = fresh();
  const { descriptor } = await build(directory, "one");
  const target = join(fresh(), "app.tar");
  const words = ["image", "export", `oci-dir:${directory}`, `docker-archive:${target}:app:1`];
  expect(await say(words)).toMatchObject({ code: 0, out: expect.stringContaining(descriptor.digest) });
  expect((await say(words)).err).toContain("IMAGE_TARGET_EXISTS");
  const inspected = JSON.parse((await say(["image", "inspect", `docker-archive:${target}:app:1`, "--json"])).out);
  expect(inspected.platforms[0]).toMatchObject({ platform: "linux/amd64", config: { ports: ["8080/tcp"] } });
  const copy = join(fresh(), "layout");
  const copied = await say(["image", "export", `oci-dir:${directory}:one`, `oci-dir:${copy}:two`, "--json"]);
  expect(copied.code).toBe(0);
  expect((await say(["image", "diff", `oci-dir:${directory}:one`, `oci-dir:${copy}:two`])).code).toBe(0);
  expect((await say(["image", "export", `oci-dir:${directory}`, "registry.example/x:1"])).code).toBe(2);
  expect(existsSync(join(copy, "index.json"))).toBe(true);
});

test("X30: rebase-check compares with the base that the image names, or with another", async () => {
  const directory = fresh();
  const base = await build(directory, "base", {
    layers: [{ files: [{ kind: "file", to: "/lib/a", content: Buffer.from("1") }] }],
  });
  const named = { name: `oci-dir:${directory}:base`, digest: base.descriptor.digest };
  await build(directory, "app", { base: named });
  const check = (...more: string[]) => say(["image", "rebase-check", `oci-dir:${directory}:app`, ...more]);
  expect(await check()).toMatchObject({ code: 0, out: expect.stringContaining("the base is current") });
  await build(directory, "base", { layers: [{ files: [{ kind: "file", to: "/lib/a", content: Buffer.from("2") }] }] });
  const said = await check();
  expect(said.code).toBe(1);
  expect(said.out).toMatch(/rebase +possible/);
  await build(directory, "arm", { platform: { os: "linux", architecture: "arm64" } });
  const other = JSON.parse((await check("--base", `oci-dir:${directory}:arm`, "--json")).out);
  expect(other).toMatchObject({
    isCurrent: false,
    isPossible: false,
    reasons: [expect.stringContaining("linux/arm64")],
  });
  expect((await say(["image", "rebase-check", `oci-dir:${directory}:base`])).code).toBe(2);
});
