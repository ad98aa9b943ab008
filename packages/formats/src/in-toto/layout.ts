import type { Json } from "@touchmark/core";
import type { ArtifactRule } from "../policy/layout.ts";
import { readArtifactRule, writeArtifactRule } from "./artifact-rules.ts";
import { DocumentMembers, malformed } from "./document-members.ts";
import { type ClassicEnvelope, type ClassicForm, readClassicEnvelope, writeClassicEnvelope } from "./envelope.ts";
import { inTotoErrors } from "./errors.ts";
import { type ClassicKey, readClassicKey, writeClassicKey } from "./key.ts";
import { type ClassicSigner, signWith } from "./signer.ts";

/** A required step (specification 1.0, section 4.3.1). */
export interface ClassicStep {
  readonly name: string;
  readonly command: readonly string[];
  readonly materials: readonly ArtifactRule[];
  readonly products: readonly ArtifactRule[];
  readonly threshold: number;
  /** Ids of keys of the layout. */
  readonly pubkeys: readonly string[];
  /** As tools in Go write them; kept, never counted. */
  readonly certificateConstraints?: readonly Json[];
}

/** What the verifier runs (section 4.3.2). */
export interface ClassicInspection {
  readonly name: string;
  readonly run: readonly string[];
  readonly materials: readonly ArtifactRule[];
  readonly products: readonly ArtifactRule[];
}

/** A layout of in-toto 0.9 and 1.0 (section 4.3). */
export interface ClassicLayout {
  readonly expires: string;
  readonly readme: string;
  readonly keys: { readonly [keyid: string]: ClassicKey };
  readonly steps: readonly ClassicStep[];
  readonly inspections: readonly ClassicInspection[];
  readonly rootCas?: Json;
  readonly intermediateCas?: Json;
}

/** A layout and its envelope. */
export interface ReadClassicLayout {
  readonly layout: ClassicLayout;
  readonly envelope: ClassicEnvelope;
}

/** True for bytes that look like a layout or link for in-toto, and not like a document of ours. */
export function isClassic(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 4096)).toString("latin1");
  return /^\s*\{/.test(start) && /"(?:signed|signatures|payload|payloadType)"\s*:/.test(start);
}

/**
 * Reads a layout in either form; nothing is verified yet, and nothing is said of its expiry.
 * @throws INTOTO_MALFORMED | INTOTO_UNKNOWN_FIELD | INTOTO_TYPE_WRONG | INTOTO_NAME_TWICE | INTOTO_REFERENCE | INTOTO_KEY_MALFORMED | INTOTO_KEY_UNSUPPORTED | INTOTO_TOO_LARGE | INTOTO_NOT_CANONICAL
 */
export function readClassicLayout(bytes: Uint8Array): ReadClassicLayout {
  const envelope = readClassicEnvelope(bytes);
  const signed = new DocumentMembers(envelope.content, "layout");
  const type = signed.optional("_type");
  if (type !== "layout") {
    throw inTotoErrors.make("INTOTO_TYPE_WRONG", `expected _type layout, found ${JSON.stringify(type)?.slice(0, 100)}`);
  }
  const keys = signed.entries("keys").map(([id, key]) => [id, readClassicKey(key, "layout.keys", id)] as const);
  const steps = signed.objects("steps", 1000).map(readStep);
  const inspections = signed.objects("inspect", 1000).map(readInspection);
  const rootCas = signed.optional("rootcas");
  const intermediateCas = signed.optional("intermediatecas");
  const layout: ClassicLayout = {
    expires: expiryOf(signed),
    readme: signed.optionalText("readme") ?? "",
    keys: Object.fromEntries(keys),
    steps,
    inspections,
    ...(rootCas === undefined ? {} : { rootCas }),
    ...(intermediateCas === undefined ? {} : { intermediateCas }),
  };
  signed.end();
  checkNames(layout);
  return { layout, envelope };
}

/** Writes a layout, signed by each signer. @throws INTOTO_NOT_CANONICAL */
export function writeClassicLayout(
  layout: ClassicLayout,
  signers: readonly ClassicSigner[],
  form: ClassicForm = "metablock",
): Uint8Array {
  const content = {
    _type: "layout",
    expires: layout.expires,
    readme: layout.readme,
    keys: Object.fromEntries(Object.entries(layout.keys).map(([id, key]) => [id, writeClassicKey(key)])),
    steps: layout.steps.map((step) => ({
      _type: "step",
      name: step.name,
      expected_command: step.command,
      expected_materials: step.materials.map(writeArtifactRule),
      expected_products: step.products.map(writeArtifactRule),
      pubkeys: step.pubkeys,
      threshold: step.threshold,
      ...(step.certificateConstraints === undefined ? {} : { cert_constraints: step.certificateConstraints }),
    })),
    inspect: layout.inspections.map((inspection) => ({
      _type: "inspection",
      name: inspection.name,
      run: inspection.run,
      expected_materials: inspection.materials.map(writeArtifactRule),
      expected_products: inspection.products.map(writeArtifactRule),
    })),
    ...(layout.rootCas === undefined ? {} : { rootcas: layout.rootCas }),
    ...(layout.intermediateCas === undefined ? {} : { intermediatecas: layout.intermediateCas }),
  };
  return writeClassicEnvelope(content, form, signWith(signers, "computed"));
}

function readStep(members: DocumentMembers): ClassicStep {
  typed(members, "step");
  const threshold = members.optional("threshold") ?? 1;
  if (!Number.isSafeInteger(threshold) || Number(threshold) < 1) {
    throw malformed(`expected a whole number from 1 at ${members.path}.threshold`);
  }
  const constraints = members.list("cert_constraints", 1000);
  const step: ClassicStep = {
    name: nameOf(members),
    command: members.texts("expected_command", 100_000),
    materials: rules(members, "expected_materials"),
    products: rules(members, "expected_products"),
    threshold: Number(threshold),
    pubkeys: members.texts("pubkeys", 1000),
    ...(constraints.length === 0 ? {} : { certificateConstraints: constraints }),
  };
  members.end();
  return step;
}

function readInspection(members: DocumentMembers): ClassicInspection {
  typed(members, "inspection");
  const inspection: ClassicInspection = {
    name: nameOf(members),
    run: members.texts("run", 100_000),
    materials: rules(members, "expected_materials"),
    products: rules(members, "expected_products"),
  };
  members.end();
  return inspection;
}

function rules(members: DocumentMembers, name: string): readonly ArtifactRule[] {
  return members.list(name, 10_000).map((rule, i) => readArtifactRule(rule, `${members.path}.${name}[${i}]`));
}

function typed(members: DocumentMembers, type: string): void {
  const found = members.optional("_type");
  if (found !== type) throw malformed(`expected _type ${type} at ${members.path}`);
}

function nameOf(members: DocumentMembers): string {
  const name = members.text("name");
  if (name !== "" && name.length <= 256 && !/[/\\\0]/.test(name)) return name;
  throw malformed(`expected a name without / at ${members.path}.name`);
}

function expiryOf(members: DocumentMembers): string {
  const expires = members.text("expires");
  const moment = new Date(expires);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(expires) && !Number.isNaN(moment.getTime());
  if (isTime && moment.toISOString().slice(0, 19) === expires.slice(0, 19)) return expires;
  throw malformed(`expected a time such as 2027-01-31T00:00:00Z at ${members.path}.expires`);
}

function checkNames(layout: ClassicLayout): void {
  const names = new Set<string>();
  for (const { name } of [...layout.steps, ...layout.inspections]) {
    if (names.has(name)) {
      throw inTotoErrors.make("INTOTO_NAME_TWICE", `${JSON.stringify(name.slice(0, 80))} stands twice in the layout`);
    }
    names.add(name);
  }
  const unknown = (what: string, name: string) =>
    inTotoErrors.make("INTOTO_REFERENCE", `the layout has no ${what} ${JSON.stringify(name.slice(0, 80))}`);
  for (const step of layout.steps) {
    for (const id of step.pubkeys) if (!Object.hasOwn(layout.keys, id)) throw unknown("key", id);
  }
  for (const { materials, products } of [...layout.steps, ...layout.inspections]) {
    for (const { from } of [...materials, ...products]) {
      if (from !== undefined && !names.has(from)) throw unknown("step", from);
    }
  }
}
