import { sourceErrors } from "./errors.ts";
import { SshReader } from "./ssh-key.ts";

/** A line of an allowed-signers file: who may sign with a key, and when. */
export interface AllowedSigner {
  /** As written: e-mail addresses, separated by commas. */
  readonly principals: readonly string[];
  /** The public key in SSH form. */
  readonly blob: Buffer;
  readonly validAfter?: Date;
  readonly validBefore?: Date;
}

/**
 * Reads an allowed-signers file (ssh-keygen(1), "ALLOWED SIGNERS"). Principals are exact: a pattern would let one key
 * speak for everybody, so patterns and certificate authorities are refused.
 *
 * @throws SOURCE_SIGNERS_MALFORMED
 */
export function parseAllowedSigners(text: string): AllowedSigner[] {
  const signers: AllowedSigner[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const malformed = (why: string) =>
      sourceErrors.make(
        "SOURCE_SIGNERS_MALFORMED",
        `allowed signers, line ${i + 1}: expected principals, options and a key: ${why}`,
      );
    const words = line.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
    const [names = ""] = words;
    const typeAt = words.findIndex((word, at) => at > 0 && /^(?:ssh-|ecdsa-|sk-)/.test(word));
    const type = words[typeAt];
    const blob = Buffer.from(words[typeAt + 1] ?? "", "base64");
    if (typeAt === -1 || type === undefined || blob.length === 0) throw malformed("there is no key");
    try {
      if (new SshReader(blob).text() !== type) throw malformed("the key has another type than it says");
    } catch (cause) {
      if (cause instanceof RangeError) throw malformed("the key is cut off");
      throw cause;
    }
    const principals = names.replace(/^"|"$/g, "").split(",");
    if (principals.some((name) => name === "" || /[*?!]/.test(name))) throw malformed("a principal is a pattern");
    const options = words.slice(1, typeAt).join(",");
    if (/(?:^|,)cert-authority/i.test(options)) throw malformed("certificate authorities are not supported");
    const namespaces = /(?:^|,)namespaces="([^"]*)"/i.exec(options)?.[1];
    if (namespaces !== undefined && !namespaces.split(",").includes("git")) continue;
    const time = (name: string): Date | undefined => {
      const value = new RegExp(`(?:^|,)${name}="?([0-9]{8}(?:[0-9]{4}(?:[0-9]{2})?)?Z?)"?`, "i").exec(options)?.[1];
      if (value === undefined) {
        if (new RegExp(`(?:^|,)${name}`, "i").test(options)) throw malformed(`${name} is malformed`);
        return undefined;
      }
      const d = value.replace("Z", "").padEnd(14, "0");
      return new Date(
        `${d.slice(0, 4)}-${d.slice(4, 6)}-${d.slice(6, 8)}T${d.slice(8, 10)}:${d.slice(10, 12)}:${d.slice(12, 14)}Z`,
      );
    };
    const validAfter = time("valid-after");
    const validBefore = time("valid-before");
    signers.push({
      principals,
      blob,
      ...(validAfter === undefined ? {} : { validAfter }),
      ...(validBefore === undefined ? {} : { validBefore }),
    });
  }
  return signers;
}

/** The principal whose key this is at a time, or undefined. */
export function principalFor(signers: readonly AllowedSigner[], blob: Buffer, at: Date): string | undefined {
  const signer = signers.find(
    (s) => s.blob.equals(blob) && !(s.validAfter && at < s.validAfter) && !(s.validBefore && at >= s.validBefore),
  );
  return signer?.principals[0];
}
