import type { Lockfile } from "@touchmark/formats/lockfiles";
import { expect, test } from "vitest";
import type { Upstream } from "../../packages/materials/src/material.ts";
import { hex, type Served, sessionScene } from "../../packages/materials/src/session/fixture.ts";

const base = "https://index.example/";
const upstream: Upstream = { name: "crates", ecosystem: "cargo", url: base, exclusive: [], order: 0 };
const crate = "the crate";
const cksum = hex("sha256", crate);
const [config, entry, far] = [`${base}config.json`, `${base}it/oa/itoa`, "https://static.example/itoa/1.0.0/download"];

const lock: Lockfile = {
  ...{ format: "cargo-lock-4", ecosystem: "cargo", path: "Cargo.lock", limits: [] },
  packages: [
    {
      ...{ key: "itoa 1.0.0", ecosystem: "cargo", name: "itoa", version: "1.0.0", purl: "pkg:cargo/itoa@1.0.0" },
      ...{ from: { kind: "registry" }, digests: [{ algorithm: "sha256", value: cksum }] },
      ...{ scope: "runtime", dependencies: [], direct: true },
    },
  ],
};

/** A registry: where it says that crates lie, its entry, and files by address. */
function registry(dl: string, line: object, files: Served = {}): Served {
  const version = { name: "itoa", vers: "1.0.0", deps: [], features: {}, cksum, yanked: false, ...line };
  return { [config]: { body: JSON.stringify({ dl }) }, [entry]: { body: JSON.stringify(version) }, ...files };
}

/** What becomes of each request of `cargo fetch --locked`, in its order. */
async function fetch(served: Served, crateAddress = far): Promise<{ codes: string[]; asked: string[] }> {
  const scene = sessionScene({ upstreams: [upstream], lockfiles: [lock], served });
  const codes: string[] = [];
  for (const url of [config, entry, crateAddress]) {
    codes.push(
      await scene.ask(url).then(
        () => "in",
        (error: { code?: string }) => error.code ?? "no code",
      ),
    );
  }
  return { codes, asked: scene.asked.map(({ url }) => url) };
}

test("attack: the harness lets an honest registry's crate in, from the host that its index names", async () => {
  const served = registry("https://static.example", {}, { [far]: { body: crate } });
  expect((await fetch(served)).codes).toEqual(["in", "in", "in"]);
});

test("attack: a registry serves another crate than is locked, and its index agrees with it", async () => {
  // Naive: bytes and index hold together.
  const served = registry("https://static.example", { cksum: hex("sha256", "evil") }, { [far]: { body: "evil" } });
  const { codes, asked } = await fetch(served);
  expect(codes).toEqual(["in", "in", "SESSION_DIGEST_CONFLICT"]);
  expect(asked).not.toContain(far);
});

test("attack: a registry serves another crate than its index and the lockfile say", async () => {
  const { codes } = await fetch(registry("https://static.example", {}, { [far]: { body: "evil" } }));
  expect(codes).toEqual(["in", "in", "SESSION_DIGEST_MISMATCH"]);
});

test.each([
  ["a host of the crate's own choice", "https://{crate}.evil.example/"],
  ["user information", "https://token:{sha256-checksum}@evil.example/"],
  ["a file", "file:///home/builder/.ssh/id_ed25519"],
  ["a query that carries something out", "https://evil.example/?{crate}"],
  ["a marker that nobody fills", "https://evil.example/{home}/{crate}"],
  ["another path by doubled slashes", "https://evil.example//{crate}"],
])("attack: where crates lie is %s", async (_, dl) => {
  const { codes, asked } = await fetch(registry(dl, {}));
  expect(codes[0]).toBe("MATERIAL_INDEX_MALFORMED");
  expect(asked.filter((url) => !url.startsWith(base))).toEqual([]);
});

test("attack: an index's place for crates opens a host for anything else", async () => {
  const served = registry("https://static.example", {}, { "https://static.example/evil": { body: "evil" } });
  expect((await fetch(served, "https://static.example/evil")).codes).toEqual(["in", "in", "SESSION_ADDRESS_UNKNOWN"]);
});

test.each([
  ["of another crate", { name: "itao" }],
  ["with a digest of no bytes", { cksum: "" }],
  ["whose version leads elsewhere", { vers: "../../evil" }],
])("attack: an index has an entry %s", async (_, line) => {
  expect((await fetch(registry("https://static.example", line))).codes[1]).toBe("MATERIAL_INDEX_MALFORMED");
});

test("attack: a registry names a git repository as its index, which no digest covers", async () => {
  const scene = sessionScene({ upstreams: [upstream], served: {} });
  const asked = scene.ask(`${base}info/refs?service=git-upload-pack`);
  await expect(asked).rejects.toMatchObject({ code: "MATERIAL_CARGO_GIT_INDEX" });
});
