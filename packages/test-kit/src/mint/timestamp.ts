import { createHash, randomBytes } from "node:crypto";
import { algorithm, asn1, generalizedTime, integer, octets, oid, sequence, set } from "./asn1.ts";
import { type MintKey, signatureAlgorithm, signWith } from "./certificate.ts";

/** A time-stamp authority of the mint. */
export interface MintStamper {
  readonly key: MintKey;
  /** DER. */
  readonly certificate: Buffer;
  /** DER Name of the certificate's issuer. */
  readonly issuer: Buffer;
  readonly serial: Buffer;
}

/** What a time-stamp is made of; every member can be wrong on purpose. */
export interface TimestampRecipe {
  readonly at: Date;
  /** The stamped bytes. */
  readonly message: Uint8Array;
  readonly stamper: MintStamper;
  readonly status?: number;
  /** Certificates in the bag; none by default. */
  readonly bag?: readonly Uint8Array[];
  /** The certificate whose hash is signed; the stamper's by default, null for none. */
  readonly named?: Uint8Array | null;
  readonly weakImprint?: boolean;
  /** Changes the content after it was signed. */
  readonly contentAfter?: (content: Buffer) => Buffer;
  readonly noToken?: boolean;
  /** DER MessageImprint, instead of that of the message. */
  readonly imprint?: Uint8Array;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const SHA256 = "2.16.840.1.101.3.4.2.1";
const SHA1 = "1.3.14.3.2.26";

/** Mints a TimeStampResp, DER (RFC 3161). */
export function mintTimestamp(recipe: TimestampRecipe): Buffer {
  const { stamper, message } = recipe;
  const minted = recipe.weakImprint
    ? sequence(algorithm(SHA1), octets(createHash("sha1").update(message).digest()))
    : sequence(algorithm(SHA256), octets(sha256(message)));
  const content = sequence(
    integer(1),
    oid("1.3.6.1.4.1.99999.1"),
    recipe.imprint ?? minted,
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    generalizedTime(recipe.at),
  );
  const attribute = (id: string, value: Buffer) => sequence(oid(id), set(value));
  const named = recipe.named === undefined ? stamper.certificate : recipe.named;
  const attributes = [
    attribute("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.9.16.1.4")),
    attribute("1.2.840.113549.1.9.4", octets(sha256(content))),
    ...(named === null
      ? []
      : [attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(octets(sha256(named))))))]),
  ].sort(Buffer.compare);
  const signature = signWith(stamper.key, set(...attributes));
  const signer = sequence(
    integer(1),
    sequence(stamper.issuer, integer(stamper.serial)),
    algorithm(SHA256),
    asn1(0xa0, ...attributes),
    signatureAlgorithm(stamper.key.kind),
    octets(signature),
  );
  const bag = recipe.bag ?? [];
  const signed = sequence(
    integer(3),
    set(algorithm(SHA256)),
    sequence(oid("1.2.840.113549.1.9.16.1.4"), asn1(0xa0, octets(recipe.contentAfter?.(content) ?? content))),
    ...(bag.length === 0 ? [] : [asn1(0xa0, ...bag)]),
    set(signer),
  );
  const token = sequence(oid("1.2.840.113549.1.7.2"), asn1(0xa0, signed));
  return sequence(sequence(integer(recipe.status ?? 0)), ...(recipe.noToken ? [] : [token]));
}
