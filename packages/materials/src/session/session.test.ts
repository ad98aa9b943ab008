import { expect, test } from "vitest";
import { hex, npmLock, npmUpstream, sessionScene } from "./fixture.ts";

const tarball = "https://registry.example/pad/-/pad-1.0.0.tgz";
const body = "the package";
const lock = npmLock("pad", "1.0.0", [{ algorithm: "sha512", value: hex("sha512", body) }]);

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: { code?: string; message?: string }) => error.code ?? error.message ?? "no code",
  );
}

test("S1, S2: a locked package comes through, is recorded with its digests, and stands in the report", async () => {
  const scene = sessionScene({ served: { [tarball]: { body } }, lockfiles: [lock] });
  expect(await scene.ask(tarball)).toEqual({ status: 200, body });
  const { admitted, refused, bytes } = scene.session.report();
  expect(refused).toEqual([]);
  expect(bytes).toBe(body.length);
  expect(admitted.map(({ record, locked, mirrored }) => [record.facts.purl, record.digest, locked, mirrored])).toEqual([
    ["pkg:npm/pad@1.0.0", `sha256:${hex("sha256", body)}`, true, false],
  ]);
  expect(scene.asked[0]?.headers["accept-encoding"]).toBe("identity");
});

test("S1: an address that nothing names, and one that no client asks, are refused before anybody is asked", async () => {
  const scene = sessionScene({ served: { "https://elsewhere.example/x": { body } } });
  expect(await codeOf(scene.ask("https://elsewhere.example/x"))).toBe("SESSION_ADDRESS_UNKNOWN");
  expect(await codeOf(scene.ask("https://registry.example/-/user/token", {}))).toBe("SESSION_REQUEST_UNKNOWN");
  expect(scene.asked).toEqual([]);
  expect(scene.session.report().refused.map(({ code, harmless }) => [code, harmless])).toEqual([
    ["SESSION_ADDRESS_UNKNOWN", false],
    ["SESSION_REQUEST_UNKNOWN", false],
  ]);
});

test("S7: what a client asks in passing is refused, and counted as harmless", async () => {
  const scene = sessionScene({ served: {} });
  for (let i = 0; i < 3; i++) await codeOf(scene.ask("https://registry.example/-/ping"));
  expect(scene.session.report().refused).toMatchObject([{ code: "SESSION_CHATTER", harmless: true, count: 3 }]);
});

test("S2: other bytes than the lockfile says are refused, and nothing of them is kept", async () => {
  const scene = sessionScene({ served: { [tarball]: { body: "other bytes" } }, lockfiles: [lock] });
  expect(await codeOf(scene.ask(tarball))).toBe("SESSION_DIGEST_MISMATCH");
  expect(await scene.mirror.seen("pkg:npm/pad@1.0.0", "pad-1.0.0.tgz")).toEqual([]);
  expect(scene.session.report().admitted).toEqual([]);
});

test("S2: lockfile and index that contradict each other are refused before the file is asked for", async () => {
  const index = {
    name: "pad",
    versions: { "1.0.0": { name: "pad", version: "1.0.0", dist: { tarball, integrity: sri("elsewise") } } },
  };
  const served = { "https://registry.example/pad": { body: JSON.stringify(index) }, [tarball]: { body } };
  const scene = sessionScene({ served, lockfiles: [lock] });
  await scene.ask("https://registry.example/pad");
  expect(await codeOf(scene.ask(tarball))).toBe("SESSION_DIGEST_CONFLICT");
  expect(scene.asked.map((each) => each.url)).toEqual(["https://registry.example/pad"]);
});

test("S1: a file host that an admitted index announces with a digest is asked for exactly that file", async () => {
  const far = "https://files.example/store/pad-1.0.0.tgz";
  const index = {
    name: "pad",
    versions: { "1.0.0": { name: "pad", version: "1.0.0", dist: { tarball: far, integrity: sri(body) } } },
  };
  const served = { "https://registry.example/pad": { body: JSON.stringify(index) }, [far]: { body } };
  const scene = sessionScene({ served, lockfiles: [lock] });
  expect(await codeOf(scene.ask(far))).toBe("SESSION_ADDRESS_UNKNOWN");
  await scene.ask("https://registry.example/pad");
  expect((await scene.ask(far)).body).toBe(body);
  expect(await codeOf(scene.ask("https://files.example/store/other.tgz"))).toBe("SESSION_ADDRESS_UNKNOWN");
});

test("S1: a lockfile that names another host is answered by the trusted repository, under the digest", async () => {
  const elsewhere = "https://mirror.example/pad/-/pad-1.0.0.tgz";
  const [entry] = lock.packages;
  if (entry === undefined) throw new Error("no entry");
  const moved = { ...lock, packages: [{ ...entry, from: { kind: "registry" as const, url: elsewhere } }] };
  const scene = sessionScene({ served: { [tarball]: { body } }, lockfiles: [moved] });
  expect((await scene.ask(elsewhere)).body).toBe(body);
  expect(scene.asked.map((each) => each.url)).toEqual([tarball]);
});

test("S1: a download that the pipeline names needs its digest; a tarball dependency is its own address", async () => {
  const url = "https://tools.example/tool-1.bin";
  const digests = [{ algorithm: "sha256" as const, value: hex("sha256", body) }];
  const scene = sessionScene({ served: { [url]: { body } }, downloads: [{ url, digests }] });
  expect((await scene.ask(url)).body).toBe(body);
  const wrong = sessionScene({ served: { [url]: { body: "swapped" } }, downloads: [{ url, digests }] });
  expect(await codeOf(wrong.ask(url))).toBe("SESSION_DIGEST_MISMATCH");
});

test("S3: the gate speaks before contact: a package that is not locked is never asked for", async () => {
  const scene = sessionScene({ served: { [tarball]: { body } }, lockfiles: [npmLock("other", "1.0.0", [])] });
  expect(await codeOf(scene.ask(tarball))).toBe("GATE_NOT_LOCKED");
  expect(scene.asked).toEqual([]);
});

test("S3: a refusal names the newest version that the refusing rule would let pass", async () => {
  const version = (name: string) => [
    name,
    { name: "pad", version: name, dist: { tarball: tarball.replace("1.0.0", name), integrity: sri(`pad ${name}`) } },
  ];
  const index = {
    name: "pad",
    versions: Object.fromEntries(["0.8.0", "0.9.0", "1.0.0"].map(version)),
    time: { "0.8.0": "2026-01-01T00:00:00Z", "0.9.0": "2026-06-01T00:00:00Z", "1.0.0": "2026-11-21T10:00:00Z" },
  };
  const young = npmLock("pad", "1.0.0", [{ algorithm: "sha512", value: hex("sha512", "pad 1.0.0") }]);
  const scene = sessionScene({
    served: { "https://registry.example/pad": { body: JSON.stringify(index) }, [tarball]: { body: "pad 1.0.0" } },
    lockfiles: [young],
    rules: { minimumAge: { seconds: 86_400, except: [] } },
    settings: { needsIndex: true },
  });
  expect(await codeOf(scene.ask(tarball))).toBe("GATE_TOO_YOUNG");
  expect(scene.session.report().refused[0]?.message).toContain("pad@0.9.0 would pass");
});

test("S4: the mirror answers what a digest names without asking; a lockfile of today still counts", async () => {
  const first = sessionScene({ served: { [tarball]: { body } }, lockfiles: [lock] });
  await first.ask(tarball);
  const again = sessionScene({ served: {}, lockfiles: [lock], mirror: first.mirror });
  expect((await again.ask(tarball)).body).toBe(body);
  expect(again.asked).toEqual([]);
  expect(again.session.report().admitted[0]?.mirrored).toBe(true);
  const other = npmLock("pad", "1.0.0", [{ algorithm: "sha256", value: hex("sha256", "other") }]);
  const strict = sessionScene({ served: {}, lockfiles: [other], mirror: first.mirror });
  expect(await codeOf(strict.ask(tarball))).toBe("SESSION_DIGEST_MISMATCH");
});

test("S4: an index that announces all that is locked, with the lockfile's own digests, is not asked for again", async () => {
  const page = "https://registry.example/pad";
  const dist = { tarball, integrity: sri(body) };
  const index = { name: "pad", versions: { "1.0.0": { name: "pad", version: "1.0.0", dist } } };
  const served = { [page]: { body: JSON.stringify(index) }, [tarball]: { body } };
  const first = sessionScene({ served, lockfiles: [lock] });
  await first.ask(page);
  await first.ask(tarball);
  const again = sessionScene({ served: {}, lockfiles: [lock], mirror: first.mirror });
  expect((await again.ask(page)).body).toBe(JSON.stringify(index));
  expect((await again.ask(tarball)).body).toBe(body);
  expect(again.asked).toEqual([]);
  const newer = npmLock("pad", "1.0.1", [{ algorithm: "sha512", value: hex("sha512", body) }]);
  const other = sessionScene({ served, lockfiles: [newer], mirror: first.mirror });
  await other.ask(page);
  const fresh = sessionScene({ served, lockfiles: [lock], mirror: first.mirror, settings: { needsIndex: true } });
  await fresh.ask(page);
  expect([other, fresh].map(({ asked }) => asked.length)).toEqual([1, 1]);
});

test("S4: a digest of an algorithm that was not taken when the file came in is taken when it is demanded", async () => {
  const first = sessionScene({ served: { [tarball]: { body } }, lockfiles: [lock] });
  await first.ask(tarball);
  const sha384 = { algorithm: "sha384" as const, value: hex("sha384", "not the package") };
  const strict = sessionScene({ served: {}, lockfiles: [npmLock("pad", "1.0.0", [sha384])], mirror: first.mirror });
  expect(await codeOf(strict.ask(tarball))).toBe("SESSION_DIGEST_MISMATCH");
});

test("S4: offline, the mirror alone answers, and says what it lacks", async () => {
  const scene = sessionScene({ served: { [tarball]: { body } }, lockfiles: [lock], offline: true });
  expect(await codeOf(scene.ask(tarball))).toBe("SESSION_OFFLINE_MISSING");
  expect(scene.asked).toEqual([]);
});

test("S5: a redirect goes to a trusted repository or under a strong digest, never to a weaker scheme", async () => {
  const away = { location: "https://cdn.example/pad.tgz", body: "" };
  const cdn = { "https://cdn.example/pad.tgz": { body } };
  const pinned = sessionScene({ served: { [tarball]: away, ...cdn }, lockfiles: [lock] });
  expect((await pinned.ask(tarball)).body).toBe(body);
  expect(pinned.session.report().admitted[0]?.record.redirects).toEqual(["https://cdn.example/pad.tgz"]);
  const index = sessionScene({ served: { "https://registry.example/pad": away, ...cdn }, lockfiles: [lock] });
  expect(await codeOf(index.ask("https://registry.example/pad"))).toBe("SESSION_REDIRECT_REFUSED");
  const weak = { [tarball]: { location: "http://registry.example/pad/-/pad-1.0.0.tgz", body: "" } };
  expect(await codeOf(sessionScene({ served: weak, lockfiles: [lock] }).ask(tarball))).toBe("SESSION_REDIRECT_REFUSED");
});

test("S5: credentials go to the host that they are bound to, and not after a redirect", async () => {
  const away = { location: "https://cdn.example/pad.tgz", body: "" };
  const served = { [tarball]: away, "https://cdn.example/pad.tgz": { body } };
  const credentials = async (url: URL): Promise<Record<string, string>> =>
    url.host === "registry.example" ? { authorization: "Bearer canary" } : {};
  const scene = sessionScene({ served, lockfiles: [lock], settings: { credentials } });
  await scene.ask(tarball);
  expect(scene.asked.map(({ headers }) => headers["authorization"])).toEqual(["Bearer canary", undefined]);
  expect(JSON.stringify(scene.session.report())).not.toContain("canary");
});

test("S2, S7: an index that lies about a size, and an upstream that fails, have their codes", async () => {
  const failing = sessionScene({ served: { [tarball]: { status: 503, body: "" } }, lockfiles: [lock] });
  expect(await codeOf(failing.ask(tarball))).toBe("SESSION_UPSTREAM_FAILED");
  const page = "https://index.example/simple/pad/";
  const file = "https://index.example/files/pad-1.0.0-py3-none-any.whl";
  const sha256 = hex("sha256", body);
  const index = {
    meta: { "api-version": "1.1" },
    name: "pad",
    versions: ["1.0.0"],
    files: [{ filename: "pad-1.0.0-py3-none-any.whl", url: file, hashes: { sha256 }, size: 3 }],
  };
  const pypi = { ...npmUpstream, name: "wheels", ecosystem: "pypi" as const, url: "https://index.example/simple/" };
  const entry = {
    ...{ key: "pad", ecosystem: "pypi" as const, name: "pad", version: "1.0.0", purl: "pkg:pypi/pad@1.0.0" },
    ...{ from: { kind: "registry" as const }, digests: [{ algorithm: "sha256" as const, value: sha256 }] },
    ...{ scope: "runtime" as const, dependencies: [], direct: true },
  };
  const lockfile = { format: "uv-lock-1", ecosystem: "pypi" as const, path: "uv.lock", limits: [], packages: [entry] };
  const served = {
    [page]: { body: JSON.stringify(index), type: "application/vnd.pypi.simple.v1+json" },
    [file]: { body },
  };
  const scene = sessionScene({ served, lockfiles: [lockfile], upstreams: [pypi] });
  await scene.ask(page, { headers: { accept: "application/vnd.pypi.simple.v1+json" } });
  expect(await codeOf(scene.ask(file))).toBe("SESSION_SIZE_MISMATCH");
});

test("S3: what asks for a secret that this run may not have is not answered, from the mirror neither", async () => {
  const first = sessionScene({ served: { [tarball]: { body } }, lockfiles: [lock] });
  await first.ask(tarball);
  const mayAsk = async (): Promise<void> => {
    throw Object.assign(new Error("an outside change"), { name: "FactoryError", code: "NO_SECRET", nature: "refused" });
  };
  const outside = sessionScene({ served: {}, lockfiles: [lock], mirror: first.mirror, settings: { mayAsk } });
  expect(await codeOf(outside.ask(tarball))).toBe("NO_SECRET");
});

test("S6: a commit that nothing pins is not fetched", async () => {
  const repository = { ...npmUpstream, name: "forge", ecosystem: "git" as const, url: "https://forge.example/" };
  const commit = "1".repeat(40);
  const want = (id: string): Uint8Array =>
    Buffer.from(`0011command=fetch0001${packet(`want ${id}\n`)}${packet("done\n")}0000`);
  const pinned = { url: "https://forge.example/a/b.git", commit };
  const scene = sessionScene({ served: {}, upstreams: [repository], commits: [pinned] });
  const ask = (id: string) =>
    codeOf(
      scene.ask("https://forge.example/a/b.git/git-upload-pack", {
        method: "POST",
        body: want(id),
        headers: { "content-type": "application/x-git-upload-pack-request", "git-protocol": "version=2" },
      }),
    );
  expect(await ask("2".repeat(40))).toBe("SESSION_COMMIT_UNPINNED");
  expect(await ask(commit)).not.toBe("SESSION_COMMIT_UNPINNED");
});

function sri(bytes: string): string {
  return `sha512-${Buffer.from(hex("sha512", bytes), "hex").toString("base64")}`;
}

function packet(line: string): string {
  return (line.length + 4).toString(16).padStart(4, "0") + line;
}
