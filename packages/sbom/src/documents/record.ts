import { isDigest, isFactoryError } from "@touchmark/core";
import { packageUrl, parsePackageUrl } from "@touchmark/formats/package-url";
import type {
  Component,
  ComponentHash,
  ComponentKind,
  ComponentScope,
  DependencyEdges,
  Distribution,
  LicenceFact,
  Occurrence,
  Sbom,
  SbomSubject,
  ScanLoss,
  SourcePackage,
  UnownedExecutable,
} from "@touchmark/formats/sbom";
import { list, members, objects, optionalText, text, texts, wrong } from "./shape.ts";

export const componentKinds: readonly ComponentKind[] = [
  "application",
  "framework",
  "library",
  "container",
  "platform",
  "operating-system",
  "device",
  "device-driver",
  "firmware",
  "file",
  "machine-learning-model",
  "data",
  "cryptographic-asset",
];
const scopes: readonly ComponentScope[] = ["runtime", "development", "optional", "build", "unknown"];
const subjectKinds: readonly SbomSubject["kind"][] = ["image", "directory", "archive", "file", "artifact"];
const algorithms: readonly ComponentHash["algorithm"][] = [
  "md5",
  "sha1",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "blake2b-256",
  "blake3",
  "h1",
];

/** Reads one member of our own form. */
type FieldReader<Value> = (value: unknown, where: string) => Value;
type FieldReaders<Whole> = { readonly [Name in keyof Required<Whole>]: FieldReader<Required<Whole>[Name]> };

/** Members of a component in our own form, each strict; all but the optional ones must stand. */
export const componentFields: FieldReaders<Component> = {
  ref: filled,
  kind: oneOf(componentKinds),
  name: text,
  version: text,
  purl: canonicalPurl,
  type: text,
  scope: oneOf(scopes),
  direct: flag,
  sourcePackage: (value, where): SourcePackage => {
    const found = members(value, where);
    return { name: text(found["name"], `${where}.name`), version: text(found["version"], `${where}.version`) };
  },
  distribution: readDistribution,
  architecture: text,
  hashes: (value, where) => objects(value, where).map((hash, index) => readHash(hash, `${where}[${index}]`)),
  declaredLicences: readLicences,
  detectedLicences: readLicences,
  supplier: text,
  description: text,
  homepage: text,
  downloadLocation: text,
  cpes: texts,
  occurrences: (value, where) => list(value, where).map((item, index) => readOccurrence(item, `${where}[${index}]`)),
  properties: (value, where) =>
    objects(value, where).map((property, index) => ({
      name: text(property["name"], `${where}[${index}].name`),
      value: text(property["value"], `${where}[${index}].value`),
    })),
};

/** Names of a component's members, in their order. */
export const componentFieldNames = Object.keys(componentFields) as readonly (keyof Component)[];

const optionalComponentFields: ReadonlySet<string> = new Set<keyof Component>([
  "purl",
  "direct",
  "sourcePackage",
  "distribution",
  "architecture",
  "supplier",
  "description",
  "homepage",
  "downloadLocation",
]);

/** Members of an SBOM beside its components and edges. */
export type SbomFrame = Omit<Sbom, "components" | "dependencies">;

export const frameFields: FieldReaders<SbomFrame> = {
  subject: readSubject,
  root: filled,
  distribution: readDistribution,
  layers: (value, where) => texts(value, where).map((digest, index) => readDigest(digest, `${where}[${index}]`)),
  losses: (value, where) => objects(value, where).map((loss, index) => readLoss(loss, `${where}[${index}]`)),
  unowned: (value, where) => objects(value, where).map((file, index) => readUnowned(file, `${where}[${index}]`)),
  files: (value, where) => {
    const found = members(value, where);
    return {
      seen: count(found["seen"], `${where}.seen`),
      catalogued: count(found["catalogued"], `${where}.catalogued`),
    };
  },
  created: text,
  tools: (value, where) =>
    objects(value, where).map((tool, index) => ({
      name: text(tool["name"], `${where}[${index}].name`),
      version: text(tool["version"], `${where}[${index}].version`),
      ...optional("vendor", optionalText(tool["vendor"], `${where}[${index}].vendor`)),
    })),
};

export const frameFieldNames = Object.keys(frameFields) as readonly (keyof SbomFrame)[];

const optionalFrameFields: ReadonlySet<string> = new Set<keyof SbomFrame>([
  "distribution",
  "unowned",
  "files",
  "created",
]);

/** A component of our own form. @throws SBOM_DOCUMENT_MALFORMED */
export function readComponentRecord(value: unknown, where: string): Component {
  return readRecord(componentFields, optionalComponentFields, value, where);
}

/** Everything but components and edges of our own form. @throws SBOM_DOCUMENT_MALFORMED */
export function readFrameRecord(value: unknown, where: string): SbomFrame {
  return readRecord(frameFields, optionalFrameFields, value, where);
}

/** True for a member that may be absent. */
export function mayBeAbsent(name: string): boolean {
  return optionalComponentFields.has(name) || optionalFrameFields.has(name);
}

/** @throws SBOM_DOCUMENT_MALFORMED */
export function readEdgesRecord(value: unknown, where: string): DependencyEdges {
  const found = members(value, where);
  return { from: filled(found["from"], `${where}.from`), to: texts(found["to"], `${where}.to`) };
}

/** A member that is there only when its value is. */
export function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [K in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [K in Name]: Value });
}

function readRecord<Whole>(
  fields: FieldReaders<Whole>,
  optionals: ReadonlySet<string>,
  value: unknown,
  where: string,
): Whole {
  const found = members(value, where);
  const record: Record<string, unknown> = {};
  for (const [name, read] of Object.entries<FieldReader<unknown>>(fields)) {
    const written = found[name];
    if (written === undefined && optionals.has(name)) continue;
    record[name] = read(written, `${where}.${name}`);
  }
  return record as unknown as Whole;
}

function readDistribution(value: unknown, where: string): Distribution {
  const found = members(value, where);
  return {
    id: text(found["id"], `${where}.id`),
    version: text(found["version"], `${where}.version`),
    ...optional("codename", optionalText(found["codename"], `${where}.codename`)),
    ...(found["like"] === undefined ? {} : { like: texts(found["like"], `${where}.like`) }),
    ...optional("name", optionalText(found["name"], `${where}.name`)),
  };
}

function readHash(found: ReturnType<typeof members>, where: string): ComponentHash {
  return {
    algorithm: oneOf(algorithms)(found["algorithm"], `${where}.algorithm`),
    value: text(found["value"], `${where}.value`),
  };
}

function readLicences(value: unknown, where: string): readonly LicenceFact[] {
  return objects(value, where).map((fact, index) => {
    const at = `${where}[${index}]`;
    const confidence = fact["confidence"];
    if (typeof confidence !== "number" || !(confidence >= 0 && confidence <= 1)) {
      throw wrong(`${at}.confidence`, "a number from 0 to 1", confidence);
    }
    return {
      ...optional("expression", optionalText(fact["expression"], `${at}.expression`)),
      ...optional("text", optionalText(fact["text"], `${at}.text`)),
      ...optional("path", optionalText(fact["path"], `${at}.path`)),
      confidence,
    };
  });
}

function readOccurrence(value: unknown, where: string): Occurrence {
  const found = members(value, where);
  const layer = found["layer"];
  const line = found["line"];
  return {
    path: text(found["path"], `${where}.path`),
    ...(layer === undefined ? {} : { layer: readDigest(layer, `${where}.layer`) }),
    rule: text(found["rule"], `${where}.rule`),
    ...(line === undefined ? {} : { line: count(line, `${where}.line`) }),
  };
}

function readSubject(value: unknown, where: string): SbomSubject {
  const found = members(value, where);
  const digest = found["digest"];
  return {
    kind: oneOf(subjectKinds)(found["kind"], `${where}.kind`),
    name: text(found["name"], `${where}.name`),
    ...optional("version", optionalText(found["version"], `${where}.version`)),
    ...(digest === undefined ? {} : { digest: readDigest(digest, `${where}.digest`) }),
  };
}

function readLoss(found: ReturnType<typeof members>, where: string): ScanLoss {
  return {
    path: text(found["path"], `${where}.path`),
    code: text(found["code"], `${where}.code`),
    message: text(found["message"], `${where}.message`),
  };
}

function readUnowned(found: ReturnType<typeof members>, where: string): UnownedExecutable {
  const { digest, layer } = found;
  return {
    path: text(found["path"], `${where}.path`),
    ...(digest === undefined ? {} : { digest: readDigest(digest, `${where}.digest`) }),
    ...(layer === undefined ? {} : { layer: readDigest(layer, `${where}.layer`) }),
  };
}

function readDigest(value: unknown, where: string) {
  if (typeof value !== "string" || !isDigest(value)) throw wrong(where, "a digest sha256:HEX", value);
  return value;
}

function count(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw wrong(where, "a count", value);
  return value;
}

function flag(value: unknown, where: string): boolean {
  if (typeof value !== "boolean") throw wrong(where, "true or false", value);
  return value;
}

function canonicalPurl(value: unknown, where: string): string {
  const written = text(value, where);
  try {
    if (packageUrl(parsePackageUrl(written)) === written) return written;
  } catch (error) {
    if (!isFactoryError(error)) throw error;
  }
  throw wrong(where, "a package URL in its one spelling", value);
}

function filled(value: unknown, where: string): string {
  const found = text(value, where);
  if (found === "") throw wrong(where, "text that is not empty", value);
  return found;
}

function oneOf<Word extends string>(words: readonly Word[]): FieldReader<Word> {
  return (value, where) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw wrong(where, `one of ${words.join(", ")}`, value);
    return found;
  };
}
