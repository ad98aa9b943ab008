import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { noteSigner, openCheckpoint, parseVerifierKey, verifierKeyText, witnessQuorum } from "@touchmark/formats/log";
import { afterAll, expect, test } from "vitest";
import { createLogKeys, httpWitness, type LogKeys, openLog } from "./index.ts";

/** Programs of other projects read what we write. They come from bench/peers. */

const peers = join(process.env.TOUCHMARK_PEERS ?? join(homedir(), ".cache/touchmark-peers"), "bin");
const programOf = (name: string): string | undefined =>
  [...(process.env.PATH ?? "").split(delimiter), peers].map((folder) => join(folder, name)).find(existsSync);
const [litewitness, witnessctl, sigsum, fsck] = ["litewitness", "witnessctl", "sigsum-witness", "tessera-fsck"].map(
  programOf,
);
const ssh = ["ssh-keygen", "ssh-agent", "ssh-add"].every(programOf);

const base = mkdtempSync(join(tmpdir(), "touchmark-log-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(base, { recursive: true, force: true });
});
const start = (program: string, words: string[], environment: Record<string, string> = {}) => {
  const child = spawn(program, words, { stdio: "ignore", env: { ...process.env, ...environment } });
  children.push(child);
  return child;
};
const must = (program: string, ...words: string[]): string => {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${stdout}${stderr}`);
  return stdout;
};
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
/** Key, file of an OpenSSH private key, and its fingerprint. */
const sshKey = (name: string) => {
  const file = join(base, name);
  must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file);
  const blob = Buffer.from(readFileSync(`${file}.pub`, "utf8").split(" ")[1] ?? "", "base64");
  return {
    file,
    publicKey: blob.subarray(-32),
    fingerprint: must("ssh-keygen", "-lf", `${file}.pub`).split(" ")[1] ?? "",
  };
};
const cosignerOf = (name: string, publicKey: Buffer) => {
  const material = Buffer.concat([Buffer.from([4]), publicKey]);
  const id = createHash("sha256").update(`${name}\n`).update(material).digest("hex").slice(0, 8);
  return parseVerifierKey(`${name}+${id}+${material.toString("base64")}`);
};
const witnessedAppends = async (
  keys: LogKeys,
  directory: string,
  url: string,
  verifier: ReturnType<typeof cosignerOf>,
) => {
  const witnesses = { clients: [httpWitness({ url, verifier })], quorum: 1 };
  const expected = { log: keys.signer, witnesses: witnessQuorum([verifier], 1), now: new Date(Date.now() + 1000) };
  // Until the witness listens, an append fails and stays logged; the quorum then comes with a later size.
  const log = await openLog({ directory, keys, witnesses });
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      await log.cosign();
      break;
    } catch {
      await sleep(100);
    }
  }
  for (const batch of [1, 3, 300, 1]) {
    const inclusions = await Promise.all(
      Array.from({ length: batch }, (_, n) => log.append(Buffer.from(`entry ${n}`))),
    );
    expect(openCheckpoint(inclusions.at(-1)?.checkpoint ?? "", expected).cosignatures).toHaveLength(1);
  }
  await log.close();
};

test.skipIf(!litewitness || !witnessctl || !ssh)(
  "W6: litewitness cosigns our checkpoints (needs torchwood and OpenSSH)",
  async () => {
    const keys = createLogKeys(join(base, "lite-keys"), { origin: "log.example" });
    const key = sshKey("lite");
    const socket = join(base, "agent");
    start("ssh-agent", ["-D", "-a", socket]);
    while (!existsSync(socket)) await sleep(20);
    spawnSync("ssh-add", ["-q", key.file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    const database = join(base, "lite.db");
    must(witnessctl ?? "", "add-log", "-db", database, "-origin", "log.example");
    must(witnessctl ?? "", "add-key", "-db", database, "-origin", "log.example", "-key", verifierKeyText(keys.signer));
    const port = await freePort();
    const listen = `127.0.0.1:${port}`;
    start(litewitness ?? "", [
      "-db",
      database,
      "-name",
      "w.example",
      "-key",
      key.fingerprint,
      "-ssh-agent",
      socket,
      "-listen",
      listen,
    ]);
    await witnessedAppends(keys, join(base, "lite-log"), `http://${listen}/`, cosignerOf("w.example", key.publicKey));
  },
);

test.skipIf(!sigsum || !ssh)("W6: sigsum-witness cosigns our checkpoints (needs sigsum-go and OpenSSH)", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const origin = `sigsum.org/v1/tree/${createHash("sha256").update(raw).digest("hex")}`;
  const field = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const blob = Buffer.concat([field(Buffer.from("ssh-ed25519")), field(raw)]).toString("base64");
  writeFileSync(join(base, "sigsum-log.pub"), `ssh-ed25519 ${blob} log\n`);
  const key = sshKey("sigsum");
  const port = await freePort();
  const state = join(base, "sigsum-state");
  const files = ["-k", key.file, "--log-key", join(base, "sigsum-log.pub"), "--state-file", state];
  start(sigsum ?? "", [...files, `127.0.0.1:${port}`]);
  const name = `sigsum.org/v1/witness/${createHash("sha256").update(key.publicKey).digest("hex")}`;
  const keys = { origin, signer: noteSigner(origin, "ed25519", privateKey) };
  await witnessedAppends(keys, join(base, "sigsum-log"), `http://127.0.0.1:${port}/`, cosignerOf(name, key.publicKey));
});

test.skipIf(!fsck)(
  "R3: Tessera's check accepts our log, and refuses it with a bundle cut short (needs tessera-fsck)",
  async () => {
    const home = join(base, "tessera");
    const keys = createLogKeys(join(home, "keys"), { origin: "log.example" });
    const log = await openLog({ directory: join(home, "log"), keys });
    for (const batch of [1, 2, 700, 66_000, 17]) {
      await Promise.all(Array.from({ length: batch }, (_, n) => log.append(Buffer.from(`entry ${batch} ${n}`))));
    }
    await log.close();
    writeFileSync(join(home, "log.pub"), log.verifierKey);
    const check = (): string => {
      const words = [
        `--storage_url=file://${join(home, "log")}/`,
        `--public_key=${join(home, "log.pub")}`,
        "--ui=false",
      ];
      return spawnSync(fsck ?? "", words, { encoding: "utf8", timeout: 10_000 }).stderr;
    };
    expect(check()).toContain("Successfully fsck'd log with size 66720");
    const path = join(home, "log/tile/entries/007");
    // Cut within an entry. At an exchanged entry, whose hash is wrong, version 1.0.4 with one worker never ends.
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    expect(check()).toContain("fsck failed");
  },
);
