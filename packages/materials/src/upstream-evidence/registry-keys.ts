import { createPublicKey, type KeyObject } from "node:crypto";
import { upstreamErrors } from "./errors.ts";
import { jsonAnswer, listMember, member, textMember } from "./evidence.ts";

/** A key with which an npm registry signs. */
export interface RegistryKey {
  readonly keyId: string;
  readonly key: KeyObject;
  readonly pem: string;
  /** From when on its signatures no longer count; undefined while it is in use. */
  readonly expires: Date | undefined;
}

const malformed = (why: string): Error =>
  upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", `expected registry keys: ${why}`);

/** Reads the keys document of a registry (`{keys: [{keyid, keytype, scheme, key, expires}]}`). @throws UPSTREAM_ANSWER_MALFORMED */
export function readRegistryKeys(bytes: Uint8Array): RegistryKey[] {
  const keys = listMember(jsonAnswer(bytes, "a keys document"), "keys", 100).map((each): RegistryKey => {
    const keyId = textMember(each, "keyid");
    const text = textMember(each, "key");
    const scheme = textMember(each, "scheme");
    if (keyId === undefined || text === undefined) throw malformed("found one without keyid or key");
    if (scheme !== "ecdsa-sha2-nistp256") throw malformed(`found the scheme ${JSON.stringify(scheme)?.slice(0, 60)}`);
    const expires = member(each, "expires") ?? null;
    const until = typeof expires === "string" ? new Date(expires) : undefined;
    if ((expires !== null && until === undefined) || (until !== undefined && Number.isNaN(until.getTime()))) {
      throw malformed(`found the end ${JSON.stringify(expires).slice(0, 60)}`);
    }
    const key = readKey(text);
    return { keyId, key, pem: key.export({ format: "pem", type: "spki" }).toString(), expires: until };
  });
  if (keys.length === 0) throw malformed("found none");
  if (new Set(keys.map(({ keyId }) => keyId)).size !== keys.length) throw malformed("found one key id twice");
  return keys;
}

function readKey(text: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
  } catch (cause) {
    throw upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", "expected a public key as DER in base64", { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw malformed("found one of another curve than P-256");
  return key;
}
