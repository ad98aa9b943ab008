import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllowedSigners } from "./allowed-signers.ts";
import { fetchSource } from "./fetch-source.ts";
import { TestRepository } from "./repository.fixture.ts";

const has = (program: string) => spawnSync(program, ["--version"]).error === undefined;
const noSsh = spawnSync("ssh-keygen", ["-?"]).error !== undefined;
const noGpg = !has("gpg");

let repo: TestRepository;
let keys: string;
let made = 0;
beforeAll(() => {
  keys = mkdtempSync(join(tmpdir(), "touchmark-keys-"));
  repo = new TestRepository();
  repo.write("a", "1");
});
afterAll(() => {
  repo.remove();
  rmSync(keys, { recursive: true, force: true });
});

function sshKey(type: string, bits?: string): { path: string; line: string } {
  const path = join(keys, `key-${made++}`);
  execFileSync("ssh-keygen", ["-q", "-t", type, ...(bits ? ["-b", bits] : []), "-N", "", "-C", "", "-f", path]);
  return { path, line: readFileSync(`${path}.pub`, "utf8").trim() };
}

function signedCommit(key: string): void {
  repo.git([
    "-c",
    "gpg.format=ssh",
    "-c",
    `user.signingkey=${key}`,
    "commit",
    "-q",
    "-S",
    "--allow-empty",
    "-m",
    "signed",
  ]);
}

const facts = async (signers = {}) => (await fetchSource({ ...repo.fetch, signers })).signature;

test("C10: a commit without signature is unsigned, whoever it says it is from", async () => {
  repo.commit();
  expect(await facts()).toMatchObject({ kind: "none", verification: "unsigned" });
});

test.skipIf(noSsh).each([
  ["ed25519", "256"],
  ["ecdsa", "256"],
  ["ecdsa", "521"],
  ["rsa", "2048"],
])("C10: SSH signatures by %s of %s bits are verified in-process, for listed keys alone", async (type, bits) => {
  const key = sshKey(type, bits);
  signedCommit(key.path);
  expect(await facts()).toMatchObject({ kind: "ssh", verification: "unlisted-key" });
  const allowed = parseAllowedSigners(`ada@example.org namespaces="git" ${key.line}\n`);
  expect(await facts({ allowedSigners: allowed })).toMatchObject({
    kind: "ssh",
    verification: "verified",
    principal: "ada@example.org",
    principalIsCommitter: true,
    keyFingerprint: execFileSync("ssh-keygen", ["-lf", `${key.path}.pub`])
      .toString()
      .split(" ")[1],
  });
  const other = parseAllowedSigners(`eve@example.org ${key.line}\n`);
  expect(await facts({ allowedSigners: other })).toMatchObject({
    verification: "verified",
    principalIsCommitter: false,
  });
  const expired = parseAllowedSigners(`ada@example.org valid-before="20200101" ${key.line}\n`);
  expect(await facts({ allowedSigners: expired })).toMatchObject({ verification: "unlisted-key" });
  const early = parseAllowedSigners(`ada@example.org valid-after="20300101" ${key.line}\n`);
  expect(await facts({ allowedSigners: early })).toMatchObject({ verification: "unlisted-key" });
  expect(
    await facts({ allowedSigners: parseAllowedSigners(`ada@example.org namespaces="file" ${key.line}\n`) }),
  ).toMatchObject({
    verification: "unlisted-key",
  });
});

test.skipIf(noSsh)("C10: a signature moved to another commit is invalid", async () => {
  const key = sshKey("ed25519", "256");
  signedCommit(key.path);
  const raw = repo.git(["cat-file", "commit", "HEAD"]);
  const forged = repo.object("commit", `${raw.replace("\n\nsigned", "\n\nforged")}\n`);
  repo.git(["update-ref", "refs/heads/main", forged]);
  const allowedSigners = parseAllowedSigners(`ada@example.org ${key.line}`);
  expect(await facts({ allowedSigners })).toMatchObject({ kind: "ssh", verification: "invalid" });
});

test.each([
  ["no key", "ada@example.org nothing"],
  ["a pattern", "*@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKgLbqiv8wAdBUhC8JxW8tDMpJyGH3fBmwhTWGy6K0m"],
  [
    "a certificate authority",
    "a@b cert-authority ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKgLbqiv8wAdBUhC8JxW8tDMpJyGH3fBmwhTWGy6K0m",
  ],
  ["another type", "a@b ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJKgLbqiv8wAdBUhC8JxW8tDMpJyGH3fBmwhTWGy6K0m"],
  ["a cut key", "a@b ssh-rsa AAAA"],
  [
    "a bad time",
    'a@b valid-before="soon" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKgLbqiv8wAdBUhC8JxW8tDMpJyGH3fBmwhTWGy6K0m',
  ],
])("C10: a list of signers with %s is refused", (_, text) => {
  expect(() => parseAllowedSigners(text)).toThrow(expect.objectContaining({ code: "SOURCE_SIGNERS_MALFORMED" }));
});

test.skipIf(noGpg)("C10: GPG signatures are verified against a given keyring alone", async () => {
  const home = mkdtempSync(join(tmpdir(), "touchmark-gnupg-"));
  const env = { GNUPGHOME: home };
  try {
    const gpg = (args: string[]) =>
      execFileSync("gpg", ["--homedir", home, "--batch", ...args], { stdio: ["ignore", "pipe", "ignore"] });
    gpg(["--passphrase", "", "--quick-generate-key", "Ada <ada@example.org>", "ed25519", "sign", "never"]);
    writeFileSync(join(keys, "ring.gpg"), gpg(["--export"]));
    repo.git(["commit", "-q", "-S", "--allow-empty", "-m", "by gpg"], { env });
    const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(gpg(["--list-keys", "--with-colons"]).toString())?.[1];
    expect(await facts()).toMatchObject({ kind: "gpg", verification: "unverified", keyFingerprint: fingerprint });
    expect(await facts({ gpgKeyring: join(keys, "ring.gpg") })).toMatchObject({
      kind: "gpg",
      verification: "verified",
      keyFingerprint: fingerprint,
      principalIsCommitter: true,
    });
    writeFileSync(join(keys, "empty.gpg"), "");
    expect(await facts({ gpgKeyring: join(keys, "empty.gpg") })).toMatchObject({ verification: "unlisted-key" });
    const raw = repo.git(["cat-file", "commit", "HEAD"]);
    repo.git(["update-ref", "refs/heads/main", repo.object("commit", `${raw.replace("by gpg", "by eve")}\n`)]);
    expect(await facts({ gpgKeyring: join(keys, "ring.gpg") })).toMatchObject({ verification: "invalid" });
  } finally {
    spawnSync("gpgconf", ["--homedir", home, "--kill", "all"]);
    rmSync(home, { recursive: true, force: true });
  }
});

test("C10: X.509 and unknown signatures are recorded as not verified", async () => {
  const raw = repo.git(["cat-file", "commit", "HEAD"]).replace(/gpgsig[\s\S]*?-----END [A-Z ]+-----\n/, "");
  const sign = (block: string) => raw.replace("\n\n", `\ngpgsig ${block.replaceAll("\n", "\n ")}\n\n`);
  for (const [block, kind] of [
    ["-----BEGIN SIGNED MESSAGE-----\nMIAGCSqGSIb3DQEHAqCAMIACAQE=\n-----END SIGNED MESSAGE-----", "x509"],
    ["-----BEGIN STRANGE-----\nAAAA\n-----END STRANGE-----", "unknown"],
    ["-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----", "ssh"],
  ] as const) {
    repo.git(["update-ref", "refs/heads/main", repo.object("commit", sign(block))]);
    expect(await facts()).toMatchObject({ kind, verification: kind === "ssh" ? "invalid" : "unverified" });
  }
});
