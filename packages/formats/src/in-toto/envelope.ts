import { decodeBase64, decodeHex, encodeBase64, encodeHex, type Json } from "@touchmark/core";
import { PAYLOAD_TYPE, preAuthEncoding } from "../dsse.ts";
import { olpcCanonicalJson } from "./canonical.ts";
import { DocumentMembers, malformed, readInTotoJson } from "./document-members.ts";
import { inTotoErrors } from "./errors.ts";

/** How a layout or link is wrapped: `{signatures, signed}` of in-toto 0.9, or DSSE. */
export type ClassicForm = "metablock" | "dsse";

/** A signature; the key id is a hint. */
export interface ClassicSignature {
  readonly keyid: string;
  readonly sig: Uint8Array;
  /** PEM, as tools in Go add it. */
  readonly certificate?: string;
}

/** A layout or link with its signatures, not yet verified. */
export interface ClassicEnvelope {
  readonly form: ClassicForm;
  readonly signatures: readonly ClassicSignature[];
  /** The bytes that each signature covers. */
  readonly covered: Uint8Array;
  readonly content: Json;
}

/** Opens either form. @throws INTOTO_MALFORMED | INTOTO_UNKNOWN_FIELD | INTOTO_TOO_LARGE | INTOTO_NOT_CANONICAL */
export function readClassicEnvelope(bytes: Uint8Array): ClassicEnvelope {
  const top = new DocumentMembers(readInTotoJson(bytes), "document");
  const signed = top.optional("signed");
  if (signed !== undefined) {
    const signatures = top.objects("signatures", 1000).map((each) => readSignature(each, fromHex));
    top.end();
    return { form: "metablock", signatures, covered: Buffer.from(olpcCanonicalJson(signed)), content: signed };
  }
  const type = top.text("payloadType");
  if (type !== PAYLOAD_TYPE) {
    throw inTotoErrors.make("INTOTO_TYPE_WRONG", `expected payloadType ${PAYLOAD_TYPE}, found ${type.slice(0, 100)}`);
  }
  const payload = fromBase64(top.text("payload"), "document.payload");
  const signatures = top.objects("signatures", 1000).map((each) => readSignature(each, fromBase64));
  top.end();
  const content = readInTotoJson(payload);
  return { form: "dsse", signatures, covered: preAuthEncoding(PAYLOAD_TYPE, payload), content };
}

/** Writes a document in one form, signed by whoever is asked. */
export function writeClassicEnvelope(
  content: Json,
  form: ClassicForm,
  sign: (covered: Uint8Array) => readonly ClassicSignature[],
): Uint8Array {
  const canonical = Buffer.from(olpcCanonicalJson(content));
  const isDsse = form === "dsse";
  // The payload is JSON of its own: canonical text of OLPC leaves control characters unescaped.
  const payload = Buffer.from(JSON.stringify(content));
  const signatures = sign(isDsse ? preAuthEncoding(PAYLOAD_TYPE, payload) : canonical).map((each) => ({
    keyid: each.keyid,
    sig: isDsse ? encodeBase64(each.sig) : encodeHex(each.sig),
    ...(each.certificate === undefined ? {} : { cert: each.certificate }),
  }));
  const document = isDsse
    ? { payloadType: PAYLOAD_TYPE, payload: encodeBase64(payload), signatures }
    : { signatures, signed: content };
  return Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
}

function readSignature(members: DocumentMembers, decode: (text: string, path: string) => Uint8Array): ClassicSignature {
  const keyid = members.text("keyid");
  const sig = decode(members.text("sig"), `${members.path}.sig`);
  const certificate = members.optionalText("cert");
  members.end();
  return { keyid, sig, ...(certificate === undefined || certificate === "" ? {} : { certificate }) };
}

function fromHex(text: string, path: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2}){1,4096}$/.test(text)) throw malformed(`expected hexadecimal digits at ${path}`);
  return decodeHex(text);
}

/** Either alphabet, as DSSE has it. */
function fromBase64(text: string, path: string): Uint8Array {
  try {
    const bytes = decodeBase64(/[-_]/.test(text) ? text.replaceAll("-", "+").replaceAll("_", "/") : text);
    if (bytes.length > 0) return bytes;
  } catch (cause) {
    throw malformed(`expected base64 at ${path}`, cause);
  }
  throw malformed(`expected bytes at ${path}`);
}
