import type { Lockfile } from "@touchmark/formats/lockfiles";
import { expect, test } from "vitest";
import type { Upstream } from "../material.ts";
import { liesInPrivateNetwork } from "./ask-index.ts";
import { hex, npmLock, npmUpstream, sessionScene } from "./fixture.ts";

const body = "the package";
const integrity = `sha512-${Buffer.from(hex("sha512", body), "hex").toString("base64")}`;
const index = "https://registry.example/@own%2fpad";
const tarball = "https://registry.example/@own%2fpad/-/pad-1.0.0.tgz";
const packument = (tarballUrl: string) =>
  JSON.stringify({
    name: "@own/pad",
    versions: { "1.0.0": { name: "@own/pad", version: "1.0.0", dist: { tarball: tarballUrl, integrity } } },
  });
/** As yarn 2 and later has it. */
const lock = npmLock("@own/pad", "1.0.0", []);
lock.packages.forEach((entry) => Object.assign(entry, { purl: "pkg:npm/%40own/pad@1.0.0" }));
const served = { [index]: { body: packument("https://registry.example/@own/pad/-/pad-1.0.0.tgz") } };

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: { code?: string }) => error.code ?? "no code",
  );
}

test("S9: an archive whose lockfile has no digest has the one of its index, however the client spells its address", async () => {
  const scene = sessionScene({ served: { ...served, [tarball]: { body } }, lockfiles: [lock] });
  expect((await scene.ask(tarball)).body).toBe(body);
  expect(scene.asked.map(({ url }) => url)).toEqual([index, tarball]);
  expect(scene.session.report().admitted.map(({ record }) => record.facts.kind)).toEqual(["index", "archive"]);
  const wrong = sessionScene({ served: { ...served, [tarball]: { body: "swapped" } }, lockfiles: [lock] });
  expect(await codeOf(wrong.ask(tarball))).toBe("SESSION_DIGEST_MISMATCH");
  const none = sessionScene({ served: { [tarball]: { body } }, lockfiles: [lock] });
  expect(await codeOf(none.ask(tarball))).toBe("GATE_DIGEST_UNKNOWN");
});

test("S9: the index is asked for once, and by the mirror alone when offline", async () => {
  const scene = sessionScene({ served: { ...served, [tarball]: { body } }, lockfiles: [lock] });
  await Promise.all([scene.ask(tarball), scene.ask(tarball)]);
  expect(scene.asked.filter(({ url }) => url === index)).toHaveLength(1);
  const offline = sessionScene({ served: {}, lockfiles: [lock], mirror: scene.mirror, offline: true });
  expect((await offline.ask(tarball)).body).toBe(body);
  expect(offline.asked).toEqual([]);
});

test("S9: a name that is another repository's alone is asked of nobody else", async () => {
  const other: Upstream = { ...npmUpstream, name: "other", url: "https://other.example/", exclusive: ["@own/*"] };
  const scene = sessionScene({
    served: { ...served, [tarball]: { body } },
    lockfiles: [lock],
    upstreams: [npmUpstream, { ...other, order: 1 }],
  });
  expect(await codeOf(scene.ask(tarball))).toBe("GATE_SCOPE_EXCLUSIVE");
  expect(scene.asked.map(({ url }) => new URL(url).host)).toEqual(["other.example"]);
});

const pypi: Upstream = { name: "py", ecosystem: "pypi", url: "https://index.example/simple/", exclusive: [], order: 0 };
const wheel = "https://files.example/a/pad-1.0-py3-none-any.whl";
const digests = [{ algorithm: "sha256" as const, value: hex("sha256", body) }];
/** As uv has it: the file by the address of another host. */
const uvLock: Lockfile = {
  ...{ format: "uv-lock-1", ecosystem: "pypi", path: "uv.lock", limits: [] },
  packages: [
    {
      ...{ key: "pad@1.0", ecosystem: "pypi", name: "pad", version: "1.0", purl: "pkg:pypi/pad@1.0" },
      ...{ from: { kind: "registry" }, digests: [], scope: "runtime", dependencies: [], direct: true },
      files: [{ name: "pad-1.0-py3-none-any.whl", digests, url: wheel }],
    },
  ],
};

test("S9: a host that a lockfile names is asked when the index announces the file there, and not otherwise", async () => {
  const page = (address: string) => `<html><a href="${address}#sha256=${hex("sha256", body)}">x</a></html>`;
  const at = "https://index.example/simple/pad/";
  const scene = (address: string) =>
    sessionScene({
      served: { [at]: { body: page(address) }, [wheel]: { body } },
      lockfiles: [uvLock],
      upstreams: [pypi],
    });
  const honest = scene(wheel);
  expect((await honest.ask(wheel)).body).toBe(body);
  expect(honest.asked.map(({ url }) => url)).toEqual([at, wheel]);
  const silent = scene("https://files.example/b/pad-1.0-py3-none-any.whl");
  expect(await codeOf(silent.ask(wheel))).toBe("SESSION_ADDRESS_UNKNOWN");
  expect(silent.asked.map(({ url }) => url)).toEqual([at]);
});

test("S9: whether a repository lies in a private network is asked of its addresses", async () => {
  const lies = (url: string) => liesInPrivateNetwork({ ...pypi, url });
  expect(await lies("http://127.0.0.1:8080/simple/")).toBe(true);
  expect(await lies("https://[fd00::1]/simple/")).toBe(true);
  expect(await lies("https://1.1.1.1/simple/")).toBe(false);
  expect(await lies("https://nowhere.invalid/simple/")).toBe(false);
});

test("S9: a file host may be private when its index is, and not when the index is public", async () => {
  for (const [host, allowed] of [
    ["127.0.0.1", true],
    ["1.1.1.1", false],
  ] as const) {
    const upstream = { ...pypi, url: `https://${host}/simple/` };
    const page = { body: `<html><a href="${wheel}#sha256=${hex("sha256", body)}">x</a></html>` };
    const scene = sessionScene({
      served: { [`https://${host}/simple/pad/`]: page },
      lockfiles: [uvLock],
      upstreams: [upstream],
    });
    const passage = await scene.session.open({ method: "GET", url: new URL(wheel), headers: {} });
    expect(passage.kind === "upstream" && passage.allowPrivate).toBe(allowed);
  }
});
