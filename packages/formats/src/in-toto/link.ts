import type { Json } from "@touchmark/core";
import type { DigestSet } from "../statement.ts";
import { DocumentMembers, malformed } from "./document-members.ts";
import { type ClassicEnvelope, type ClassicForm, readClassicEnvelope, writeClassicEnvelope } from "./envelope.ts";
import { inTotoErrors } from "./errors.ts";
import { type ClassicSigner, signWith } from "./signer.ts";

/** Artifacts by path. */
export type ClassicArtifacts = { readonly [path: string]: DigestSet };

/** What was done in a step (specification 1.0, section 4.4). */
export interface ClassicLink {
  readonly name: string;
  readonly command: readonly string[];
  readonly materials: ClassicArtifacts;
  readonly products: ClassicArtifacts;
  readonly byproducts: { readonly [name: string]: Json };
  readonly environment: { readonly [name: string]: Json };
}

/**
 * Reads a link in either form; nothing is verified yet.
 * @throws INTOTO_MALFORMED | INTOTO_UNKNOWN_FIELD | INTOTO_TYPE_WRONG | INTOTO_TOO_LARGE | INTOTO_NOT_CANONICAL
 */
export function readClassicLink(bytes: Uint8Array): { readonly link: ClassicLink; readonly envelope: ClassicEnvelope } {
  const envelope = readClassicEnvelope(bytes);
  const signed = new DocumentMembers(envelope.content, "link");
  const type = signed.optional("_type");
  if (type !== "link") {
    throw inTotoErrors.make("INTOTO_TYPE_WRONG", `expected _type link, found ${JSON.stringify(type)?.slice(0, 100)}`);
  }
  const name = signed.text("name");
  // A step's name stands in file names.
  if (name === "" || name.length > 256 || /[/\\\0]/.test(name)) throw malformed("expected a step's name at link.name");
  const link: ClassicLink = {
    name,
    command: signed.texts("command", 100_000),
    materials: artifacts(signed, "materials"),
    products: artifacts(signed, "products"),
    byproducts: Object.fromEntries(signed.entries("byproducts")),
    environment: Object.fromEntries(signed.entries("environment")),
  };
  signed.end();
  return { link, envelope };
}

/** Writes a link, signed by each signer. @throws INTOTO_NOT_CANONICAL */
export function writeClassicLink(
  link: ClassicLink,
  signers: readonly ClassicSigner[],
  form: ClassicForm = "metablock",
): Uint8Array {
  const content = {
    _type: "link",
    name: link.name,
    command: link.command,
    materials: link.materials,
    products: link.products,
    byproducts: link.byproducts,
    environment: link.environment,
  };
  return writeClassicEnvelope(content, form, signWith(signers, "own"));
}

/** Where in-toto tools look for a link: `<step>.<first eight digits of the key id>.link`. */
export function classicLinkFileName(step: string, keyid: string): string {
  return `${step}.${keyid.slice(0, 8)}.link`;
}

function artifacts(members: DocumentMembers, name: string): ClassicArtifacts {
  const entries = members.entries(name).map(([path, value]) => {
    const place = `link.${name}[${JSON.stringify(path.slice(0, 80))}]`;
    const digests = new DocumentMembers(value, place);
    if (typeof value !== "object" || value === null || Object.keys(value).length === 0) {
      throw malformed(`expected a digest at ${place}`);
    }
    const set = Object.keys(value).map((algorithm) => {
      const hex = digests.text(algorithm);
      if (!/^[0-9a-f]{1,256}$/.test(hex)) throw malformed(`expected hexadecimal digits at ${place}.${algorithm}`);
      return [algorithm, hex] as const;
    });
    return [path, Object.fromEntries(set)] as const;
  });
  return Object.fromEntries(entries);
}
