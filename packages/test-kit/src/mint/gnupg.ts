import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let asked: boolean | undefined;

/** True when GnuPG is installed, which tests compare with. */
export function hasGnupg(): boolean {
  asked ??= ["gpg", "gpgv"].every((program) => spawnSync(program, ["--version"]).status === 0);
  return asked;
}

/** True when gpgv calls the signature good and its key in order. */
export function gpgvAccepts(keyring: Uint8Array, signature: Uint8Array, content?: Uint8Array): boolean {
  const directory = mkdtempSync(join(tmpdir(), "tm-gpgv-"));
  try {
    const path = (name: string, bytes: Uint8Array): string => {
      writeFileSync(join(directory, name), bytes);
      return join(directory, name);
    };
    const words = ["--homedir", directory, "--status-fd", "1", "--keyring", path("keyring.gpg", keyring)];
    const files = [path("signature", signature), ...(content === undefined ? [] : [path("content", content)])];
    const status = spawnSync("gpgv", [...words, ...files], { encoding: "utf8" }).stdout;
    const said = (word: string): boolean => new RegExp(`^\\[GNUPG:\\] ${word} `, "m").test(status);
    return said("GOODSIG") && said("VALIDSIG") && !["EXPKEYSIG", "REVKEYSIG", "EXPSIG", "BADSIG", "ERRSIG"].some(said);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A GnuPG home with keys that GnuPG makes. */
export class GnupgHome {
  readonly directory: string = mkdtempSync(join(tmpdir(), "tm-gpg-"));

  run(words: readonly string[], input: Uint8Array | string = ""): Buffer {
    const plain = ["--homedir", this.directory, "--batch", "--yes", "--passphrase", "", "--pinentry-mode", "loopback"];
    const result = spawnSync("gpg", [...plain, ...words], { input });
    if (result.status !== 0) throw new Error(`gpg ${words.join(" ")}: ${result.stderr.toString()}`);
    return result.stdout;
  }

  /** Makes a key; answers its fingerprint. */
  generate(userId: string, algorithm: string, usage = "default", expires = "never", time?: string): string {
    const when = time === undefined ? [] : ["--faked-system-time", `${time}!`];
    this.run([...when, "--quick-generate-key", userId, algorithm, usage, expires]);
    return this.fingerprint(userId);
  }

  fingerprint(userId: string): string {
    const listing = this.run(["--with-colons", "--list-keys", `=${userId}`]).toString();
    return /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? "";
  }

  export(userId: string): Uint8Array {
    return this.run(["--export", `=${userId}`]);
  }

  detached(userId: string, content: Uint8Array | string, words: readonly string[] = []): Uint8Array {
    return this.run([...words, "--local-user", `=${userId}`, "--detach-sign"], content);
  }

  clearsign(userId: string, text: string, words: readonly string[] = []): Uint8Array {
    return this.run([...words, "--local-user", `=${userId}`, "--clear-sign"], text);
  }

  /** The revocation that GnuPG keeps beside each key that it makes, made valid. */
  revocation(fingerprint: string): Uint8Array {
    const file = join(this.directory, "openpgp-revocs.d", `${fingerprint}.rev`);
    return Buffer.from(readFileSync(file, "utf8").replace(":-----BEGIN", "-----BEGIN"));
  }

  close(): void {
    spawnSync("gpgconf", ["--homedir", this.directory, "--kill", "all"]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
