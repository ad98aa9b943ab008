import { execFile, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fixedClock } from "@touchmark/core";
import { parseTrustedRoot } from "@touchmark/formats/evidence";
import { type FactoryFixture, factoryFixture, findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFactoryIdentity, openFactoryIdentity, readTrustedRoot, rotateAuthority } from "./index.ts";

const strace = process.platform === "linux" ? findProgram("strace") : undefined;
const clock = fixedClock("2026-11-21T10:42:31Z");
const run = promisify(execFile);
let factory: FactoryFixture;
let original: string;
let scratch: string;
beforeAll(async () => {
  factory = await factoryFixture({ clock });
  original = join(factory.directory, "identity");
  scratch = mkdtempSync(join(tmpdir(), "touchmark-identity-"));
});
afterAll(() => {
  factory.dispose();
  rmSync(scratch, { recursive: true, force: true });
});

let copies = 0;
function copy(): string {
  const directory = join(scratch, `copy-${copies++}`);
  cpSync(original, directory, { recursive: true, preserveTimestamps: true });
  chmodSync(directory, 0o700);
  return directory;
}
const open = (directory: string) => openFactoryIdentity({ directory, clock });
const create = (directory: string, change: object = {}) =>
  createFactoryIdentity({
    directory,
    trustDomain: factory.trustDomain,
    passphrase: factory.passphrase,
    clock,
    log: factory.log,
    ...change,
  });
const readByRun = [
  "identity.json",
  "root.crt.pem",
  "intermediate-1.key.pem",
  "intermediate-1.crt.pem",
  "timestamp-1.key.pem",
  "timestamp-1.crt.pem",
  "compatibility.key.pem",
];

test("F1: a file that others can read is refused", async () => {
  for (const name of readByRun) {
    const directory = copy();
    chmodSync(join(directory, name), 0o640);
    await expect(open(directory), name).rejects.toMatchObject({ code: "KEY_FILE_EXPOSED" });
  }
});

test("F1: creation refuses a directory that others can enter", async () => {
  const directory = join(scratch, "open");
  mkdirSync(directory);
  chmodSync(directory, 0o755);
  await expect(create(directory)).rejects.toMatchObject({ code: "DIRECTORY_EXPOSED" });
});

test("F2: each file cut at any length is named", async () => {
  for (const name of readByRun) {
    const directory = copy();
    const path = join(directory, name);
    const whole = readFileSync(path);
    // Cutting the final line break alone changes no meaning.
    for (let length = 0; length < whole.length - 1; length += Math.ceil(whole.length / 40)) {
      writeFileSync(path, whole.subarray(0, length), { mode: 0o600 });
      await expect(open(directory), `${name} at ${length}`).rejects.toMatchObject({
        code: "KEY_FILE_DAMAGED",
        message: expect.stringContaining(name),
      });
    }
  }
});

test("F2: a file that is missing, a link or of another kind is refused", async () => {
  for (const name of readByRun) {
    const missing = copy();
    rmSync(join(missing, name));
    await expect(open(missing), name).rejects.toMatchObject({
      code: name === "identity.json" ? "IDENTITY_NOT_CREATED" : "IDENTITY_INCOMPLETE",
    });
  }
  const other = copy();
  copyFileSync(join(other, "compatibility.key.pem"), join(other, "intermediate-1.key.pem"));
  await expect(open(other)).rejects.toMatchObject({ code: "KEY_FILE_DAMAGED" });
  const linked = copy();
  renameSync(join(linked, "timestamp-1.key.pem"), join(linked, "elsewhere"));
  symlinkSync("elsewhere", join(linked, "timestamp-1.key.pem"));
  await expect(open(linked)).rejects.toMatchObject({ code: "KEY_FILE_DAMAGED" });
});

test("F2: a key beside another's certificate, and an authority of another root, are refused", async () => {
  const exchanged = copy();
  copyFileSync(join(exchanged, "timestamp-1.key.pem"), join(exchanged, "intermediate-1.key.pem"));
  await expect(open(exchanged)).rejects.toMatchObject({ code: "KEY_CERTIFICATE_MISMATCH" });
  const foreign = copy();
  const stranger = await factoryFixture({ clock });
  for (const name of ["intermediate-1.key.pem", "intermediate-1.crt.pem"]) {
    copyFileSync(join(stranger.directory, "identity", name), join(foreign, name));
  }
  await expect(open(foreign)).rejects.toMatchObject({ code: "KEY_CERTIFICATE_MISMATCH" });
  stranger.dispose();
});

test.skipIf(!strace)(
  "F3: creation killed at any write is continued, and nothing that was made is lost",
  async () => {
    const child = join(scratch, "create.mjs");
    writeFileSync(
      child,
      `import { createPublicKey } from "node:crypto";
    import { createFactoryIdentity } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    const key = (pem) => ({ publicKey: createPublicKey(pem) });
    const [directory, ed25519, p256] = process.argv.slice(2);
    await createFactoryIdentity({ directory, trustDomain: "factory.example", passphrase: ${JSON.stringify(factory.passphrase)},
      clock: { now: () => new Date("2026-11-21T10:42:31Z") },
      log: { origin: "log.factory.example", signer: key(ed25519), compatible: { signer: key(p256) } } });`,
    );
    const pem = (key: typeof factory.log.signer.publicKey) => key.export({ format: "pem", type: "spki" }).toString();
    const keys = [pem(factory.log.signer.publicKey), pem(factory.log.compatible.signer.publicKey)];
    let killed = 0;
    const completed = new Set<string>();
    for (const calls of ["?link,?linkat", "?rename,?renameat,?renameat2", "fsync", "?unlink,?unlinkat"]) {
      // Every point at which a file becomes visible, and each third of the others, so that the test stays short.
      for (let when = 1; ; when += calls.includes("link,") && !calls.includes("un") ? 1 : 3) {
        const directory = join(scratch, `killed-${calls.replace(/\W/g, "")}-${when}`);
        const inject = `inject=${calls}:signal=SIGKILL:when=${when}`;
        const traced = ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject];
        const { signal } = spawnSync(strace ?? "", [...traced, process.execPath, child, directory, ...keys]);
        if (signal !== "SIGKILL") {
          completed.add(calls);
          break;
        }
        killed++;
        const before = new Map(
          readdirSync(directory, { withFileTypes: true })
            .filter((entry) => entry.name.endsWith(".pem"))
            .map((entry) => [entry.name, readFileSync(join(directory, entry.name), "utf8")]),
        );
        if (readdirSync(directory).includes("identity.json")) {
          const state = JSON.parse(readFileSync(join(directory, "identity.json"), "utf8")) as { state: string };
          if (state.state !== "ready")
            await expect(open(directory)).rejects.toMatchObject({ code: "IDENTITY_INCOMPLETE" });
        }
        const identity = await create(directory);
        for (const [name, text] of before) expect(readFileSync(join(directory, name), "utf8"), name).toBe(text);
        expect((await identity.newSigner({ spiffeId: "spiffe://factory.example/builder" })).certificate).toBeDefined();
      }
    }
    expect(killed).toBeGreaterThan(15);
    expect(completed.size).toBe(4);
  },
  180_000,
);

test("F3: what a killed writer left is removed once it is old", async () => {
  const directory = copy();
  const old = join(directory, ".half-written-0011223344556677");
  const young = join(directory, ".half-written-8899aabbccddeeff");
  for (const path of [old, young]) writeFileSync(path, "half", { mode: 0o600 });
  utimesSync(old, new Date(0), new Date(0));
  await create(directory);
  expect(readdirSync(directory).filter((name) => name.startsWith(".half"))).toEqual([young.split("/").at(-1)]);
});

test("F3: a root certificate whose key is gone is not made anew", async () => {
  const directory = copy();
  rmSync(join(directory, "root.key.pem"));
  const state = JSON.parse(readFileSync(join(directory, "identity.json"), "utf8"));
  writeFileSync(join(directory, "identity.json"), JSON.stringify({ ...state, state: "creating" }), { mode: 0o600 });
  await expect(create(directory)).rejects.toMatchObject({ code: "IDENTITY_INCOMPLETE" });
});

test("F4: several processes that create together end with one identity", async () => {
  const directory = join(scratch, "together");
  const child = join(scratch, "together.mjs");
  writeFileSync(
    child,
    `import { createPublicKey } from "node:crypto";
    import { createFactoryIdentity } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    const identity = await createFactoryIdentity({ directory: process.argv[2], trustDomain: "factory.example",
      passphrase: "correct horse battery staple", clock: { now: () => new Date("2026-11-21T10:42:31Z") },
      log: { origin: "log.factory.example", signer: { publicKey: createPublicKey(process.argv[3]) } } });
    console.log(Buffer.from(identity.trustedRoot()).toString("base64"));`,
  );
  const key = factory.log.signer.publicKey.export({ format: "pem", type: "spki" }).toString();
  const answers = await Promise.all([1, 2, 3].map(() => run(process.execPath, [child, directory, key])));
  expect(new Set(answers.map(({ stdout }) => stdout)).size).toBe(1);
});

test("F5: other parameters, versions and passphrases are refused by name", async () => {
  await expect(create(copy(), { trustDomain: "other.example" })).rejects.toMatchObject({ code: "IDENTITY_CONFLICT" });
  await expect(create(join(scratch, "weak"), { passphrase: "short" })).rejects.toMatchObject({
    code: "PASSPHRASE_WEAK",
  });
  await expect(create(join(scratch, "issuer"), { issuer: "no url" })).rejects.toMatchObject({ code: "ISSUER_INVALID" });
  const origin = { ...factory.log, origin: "log.example/with/path" };
  await expect(create(join(scratch, "origin"), { log: origin })).rejects.toMatchObject({ code: "LOG_ORIGIN_UNUSABLE" });
  await expect(open(join(scratch, "nowhere"))).rejects.toMatchObject({ code: "IDENTITY_NOT_CREATED" });
  const newer = copy();
  const state = JSON.parse(readFileSync(join(newer, "identity.json"), "utf8"));
  writeFileSync(join(newer, "identity.json"), JSON.stringify({ ...state, format: "touchmark-identity/v2" }), {
    mode: 0o600,
  });
  await expect(open(newer)).rejects.toMatchObject({ code: "IDENTITY_VERSION_UNKNOWN" });
  const rotate = (passphrase: string) => () =>
    rotateAuthority({ directory: copy(), passphrase, clock, kind: "intermediate" });
  expect(rotate("not the passphrase")).toThrow(expect.objectContaining({ code: "PASSPHRASE_WRONG" }));
  const cut = copy();
  truncateSync(join(cut, "root.key.pem"), 100);
  expect(() =>
    rotateAuthority({ directory: cut, passphrase: factory.passphrase, clock, kind: "intermediate" }),
  ).toThrow(expect.objectContaining({ code: "KEY_FILE_DAMAGED" }));
  const otherRoot = copy();
  const stranger = await factoryFixture({ clock });
  copyFileSync(join(stranger.directory, "identity", "root.key.pem"), join(otherRoot, "root.key.pem"));
  expect(() =>
    rotateAuthority({ directory: otherRoot, passphrase: stranger.passphrase, clock, kind: "intermediate" }),
  ).toThrow(expect.objectContaining({ code: "KEY_CERTIFICATE_MISMATCH" }));
  stranger.dispose();
});

test("F6: rotation puts a new generation in use and ends the old one", async () => {
  const directory = copy();
  const before = await open(directory);
  const later = fixedClock("2026-12-01T00:00:00Z");
  for (const kind of ["intermediate", "timestamp"] as const) {
    const grace = kind === "timestamp" ? { graceSeconds: 0 } : {};
    const rotated = rotateAuthority({ directory, passphrase: factory.passphrase, clock: later, kind, ...grace });
    expect(rotated).toMatchObject({ kind, generation: 2 });
    expect(rotated.publicKey).not.toBe(rotated.replaces);
  }
  const after = await openFactoryIdentity({ directory, clock: later });
  expect(Buffer.from(after.chain()[0] ?? [])).not.toEqual(Buffer.from(before.chain()[0] ?? []));
  expect(Buffer.from(after.chain()[1] ?? [])).toEqual(Buffer.from(before.chain()[1] ?? []));
  const root = parseTrustedRoot(after.trustedRoot());
  expect(root.certificateAuthorities.map(({ validFor }) => validFor.end?.toISOString())).toEqual([
    "2026-12-02T00:00:00.000Z",
    "2028-01-02T00:00:00.000Z",
  ]);
  expect(root.timestampAuthorities.map(({ validFor }) => validFor.end?.toISOString())).toEqual([
    "2026-12-01T00:00:00.000Z",
    "2031-12-02T00:00:00.000Z",
  ]);
  const { certificate } = await after.newSigner({ spiffeId: "spiffe://factory.example/builder" });
  expect(new X509Certificate(certificate).verify(new X509Certificate(after.chain()[0] ?? "").publicKey)).toBe(true);
});

test("F6: a rotation under a clock that was set back leaves a trusted root that can be read", () => {
  const directory = copy();
  const back = fixedClock("2020-01-01T00:00:00Z");
  rotateAuthority({ directory, passphrase: factory.passphrase, clock: back, kind: "timestamp", graceSeconds: 0 });
  const [retired] = parseTrustedRoot(readTrustedRoot(directory)).timestampAuthorities;
  expect(retired?.validFor.end).toEqual(retired?.validFor.start);
});

test("R1: the trusted root is read without any private key", () => {
  const directory = copy();
  for (const name of readdirSync(directory)) if (name.endsWith(".key.pem")) rmSync(join(directory, name));
  const root = parseTrustedRoot(readTrustedRoot(directory));
  expect(root.logs.map(({ baseUrl }) => baseUrl)).toEqual(Array(2).fill("https://log.factory.example"));
  expect(root.logs.map(({ logId }) => Buffer.from(logId).toString("hex"))).toEqual(
    [factory.log.signer.keyHash, factory.log.compatible.signer.keyHash].map((id) => Buffer.from(id).toString("hex")),
  );
  expect(root.certificateAuthorities).toHaveLength(1);
  expect(root.timestampAuthorities).toHaveLength(1);
});
