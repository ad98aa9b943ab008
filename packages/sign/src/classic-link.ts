import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { digestHex, encodeHex, sha256 } from "@touchmark/core";
import type { DigestSet, Statement } from "@touchmark/formats/evidence";
import { type Link, predicateType } from "@touchmark/formats/predicates";
import { signErrors } from "./errors.ts";

/**
 * Links for classic in-toto tools: `{signatures, signed}`, a hexadecimal signature over OLPC canonical JSON (in-toto
 * specification 1.0, section 4). Those tools know no time-stamps, so a certificate of ten minutes could never be checked
 * later: the export is signed by a long-lived key of its own, and our verifier counts no such signature.
 */
export interface ClassicLink {
  /** `<step>.<first eight digits of the key id>.link`, where the tools look for it. */
  readonly fileName: string;
  readonly content: string;
  readonly keyId: string;
}

/** An Ed25519 public key as layouts name it. */
export interface ClassicKey {
  readonly keyid: string;
  readonly keytype: "ed25519";
  readonly scheme: "ed25519";
  readonly keyid_hash_algorithms: readonly string[];
  // No `private` member: present and empty it breaks in-toto-golang, which writes the key out again to compare it.
  readonly keyval: { readonly public: string };
}

/** Exports a link statement under the compatibility key. @throws CLASSIC_LINK_UNSUPPORTED */
export function exportClassicLink(statement: Statement<Link>, key: KeyObject): ClassicLink {
  if (statement.predicateType !== predicateType("link")) {
    throw signErrors.make("CLASSIC_LINK_UNSUPPORTED", `expected a link statement, found ${statement.predicateType}`);
  }
  const { predicate } = statement;
  if (!/^[A-Za-z0-9._-]+$/.test(predicate.name)) {
    throw signErrors.make("CLASSIC_LINK_UNSUPPORTED", `expected a step name that can be a file name`);
  }
  const signed = {
    _type: "link",
    name: predicate.name,
    command: predicate.command ?? [],
    materials: artifacts(predicate.materials ?? []),
    products: artifacts(statement.subject),
    byproducts: predicate.byproducts ?? {},
    environment: predicate.environment ?? {},
  };
  const { keyid } = classicKey(createPublicKey(key));
  const sig = encodeHex(sign(null, Buffer.from(olpcCanonicalJson(signed)), key));
  return {
    fileName: `${predicate.name}.${keyid.slice(0, 8)}.link`,
    content: `${JSON.stringify({ signatures: [{ keyid, sig }], signed }, null, 1)}\n`,
    keyId: keyid,
  };
}

/** How a layout names an Ed25519 public key; the key id is SHA-256 of its canonical form. */
export function classicKey(publicKey: KeyObject): ClassicKey {
  const der = publicKey.export({ format: "der", type: "spki" });
  const key = {
    keytype: "ed25519",
    scheme: "ed25519",
    keyid_hash_algorithms: ["sha256", "sha512"],
    keyval: { public: encodeHex(der.subarray(der.length - 32)) },
  } as const;
  return { keyid: digestHex(sha256(olpcCanonicalJson(key))), ...key };
}

function artifacts(list: readonly { readonly name?: string; readonly digest?: DigestSet }[]): {
  readonly [name: string]: DigestSet;
} {
  const entries = list.map(({ name, digest }) => {
    if (name === undefined || digest === undefined) {
      throw signErrors.make("CLASSIC_LINK_UNSUPPORTED", "expected a name and a digest of every material and product");
    }
    return [name, digest] as const;
  });
  const map = Object.fromEntries(entries);
  if (Object.keys(map).length !== entries.length) {
    throw signErrors.make("CLASSIC_LINK_UNSUPPORTED", "expected unique names of materials and of products");
  }
  return map;
}

/**
 * OLPC canonical JSON: members sorted by code point, no white space, only backslash and quote escaped, whole numbers.
 * @throws CLASSIC_LINK_UNSUPPORTED
 */
export function olpcCanonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(olpcCanonicalJson).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${members.map(([name, member]) => `${olpcCanonicalJson(name)}:${olpcCanonicalJson(member)}`).join(",")}}`;
  }
  throw signErrors.make("CLASSIC_LINK_UNSUPPORTED", `a ${typeof value} has no OLPC canonical form`);
}
