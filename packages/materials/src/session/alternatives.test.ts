import { type Lockfile, readLockfile } from "@touchmark/formats/lockfiles";
import { expect, test } from "vitest";
import type { Upstream } from "../material.ts";
import { hex, sessionScene } from "./fixture.ts";

const wheels: Upstream = {
  ...{ name: "wheels", ecosystem: "pypi", url: "https://index.example/simple/", exclusive: [], order: 0 },
};
const page = "https://index.example/simple/pad/";
const at = (fileName: string): string => `https://index.example/simple/pad/${fileName}`;
const linux = "pad-1.0.0-cp313-cp313-linux_x86_64.whl";
const other = "pad-1.0.0-cp313-cp313-win_amd64.whl";
const asJson = { headers: { accept: "application/vnd.pypi.simple.v1+json" } };

function requirements(...digests: readonly string[]): Lockfile {
  return readLockfile("requirements.txt", `pad==1.0.0 ${digests.map((each) => `--hash=${each}`).join(" ")}\n`);
}

/** An index that announces files; without bytes it gives no digest of them. */
function index(files: Readonly<Record<string, string | undefined>>): { body: string; type: string } {
  const listed = Object.entries(files).map(([filename, bytes]) => ({
    ...{ filename, url: at(filename) },
    hashes: bytes === undefined ? {} : { sha256: hex("sha256", bytes) },
  }));
  const body = JSON.stringify({ meta: { "api-version": "1.1" }, name: "pad", versions: ["1.0.0"], files: listed });
  return { body, type: "application/vnd.pypi.simple.v1+json" };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "no error",
    (error: { code?: string }) => error.code ?? "another error",
  );

const lock = requirements(`sha256:${hex("sha256", "for linux")}`, `sha256:${hex("sha256", "for another")}`);

test("S2: of digests without file names one must hold, and it is recorded as the one that did", async () => {
  const served = { [page]: index({ [linux]: undefined }), [at(linux)]: { body: "for linux" } };
  const scene = sessionScene({ served, lockfiles: [lock], upstreams: [wheels] });
  await scene.ask(page, asJson);
  expect((await scene.ask(at(linux))).body).toBe("for linux");
  const archive = scene.session.report().admitted.find(({ record }) => record.facts.kind === "archive");
  expect(archive?.record.expected).toEqual([
    { algorithm: "sha256", value: hex("sha256", "for linux"), source: "lockfile", from: "requirements.txt" },
  ]);
});

test("S2: bytes that have none of them are refused, and an index that announces another digest before contact", async () => {
  const served = { [page]: index({ [linux]: undefined }), [at(linux)]: { body: "swapped" } };
  const swapped = sessionScene({ served, lockfiles: [lock], upstreams: [wheels] });
  await swapped.ask(page, asJson);
  expect(await codeOf(swapped.ask(at(linux)))).toBe("SESSION_DIGEST_MISMATCH");
  expect(await swapped.mirror.seen("pkg:pypi/pad@1.0.0", linux)).toEqual([]);
  const announcing = { [page]: index({ [linux]: "swapped" }), [at(linux)]: { body: "swapped" } };
  const scene = sessionScene({ served: announcing, lockfiles: [lock], upstreams: [wheels] });
  await scene.ask(page, asJson);
  expect(await codeOf(scene.ask(at(linux)))).toBe("SESSION_DIGEST_CONFLICT");
  expect(scene.asked.map((each) => each.url)).toEqual([page]);
});

test("S2: a set of another algorithm than the index's is checked on the bytes", async () => {
  const strong = requirements(`sha512:${hex("sha512", "for linux")}`, `sha384:${hex("sha384", "for another")}`);
  const served = { [page]: index({ [linux]: "for linux" }), [at(linux)]: { body: "for linux" } };
  const scene = sessionScene({ served, lockfiles: [strong], upstreams: [wheels] });
  await scene.ask(page, asJson);
  expect((await scene.ask(at(linux))).body).toBe("for linux");
});

test("S4: the mirror is asked by each of them, and never answers another file of the version", async () => {
  const served = {
    [page]: index({ [linux]: "for linux", [other]: "for another" }),
    [at(other)]: { body: "for another" },
  };
  const first = sessionScene({ served, lockfiles: [lock], upstreams: [wheels] });
  await first.ask(page, asJson);
  await first.ask(at(other));
  const { mirror } = first;
  const again = sessionScene({
    served: { [at(linux)]: { body: "for linux" } },
    lockfiles: [lock],
    upstreams: [wheels],
    mirror,
  });
  expect((await again.ask(at(linux))).body).toBe("for linux");
  // The same file at another address of the index.
  const moved = sessionScene({ served: {}, lockfiles: [lock], upstreams: [wheels], mirror });
  expect((await moved.ask(`https://index.example/simple/pad/moved/${other}`)).body).toBe("for another");
  expect(moved.asked).toEqual([]);
  const strict = requirements(`sha256:${hex("sha256", "neither")}`);
  const refused = sessionScene({ served: {}, lockfiles: [strict], upstreams: [wheels], mirror });
  expect(await codeOf(refused.ask(at(other)))).toBe("SESSION_DIGEST_MISMATCH");
});

test("S2: several digests for one file at its own address are alternatives too", async () => {
  const url = "https://elsewhere.example/pad-1.0.0.tar.gz";
  const hashes = ["one", "two"].map((bytes) => `--hash=sha256:${hex("sha256", bytes)}`).join(" ");
  const lockfile = readLockfile("requirements.txt", `pad @ ${url} ${hashes}\n`);
  const scene = sessionScene({ served: { [url]: { body: "two" } }, lockfiles: [lockfile], upstreams: [wheels] });
  expect((await scene.ask(url)).body).toBe("two");
  const swapped = sessionScene({ served: { [url]: { body: "three" } }, lockfiles: [lockfile], upstreams: [wheels] });
  expect(await codeOf(swapped.ask(url))).toBe("SESSION_DIGEST_MISMATCH");
});
