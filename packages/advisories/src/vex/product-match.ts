import { isFactoryError } from "@touchmark/core";
import { type PackageUrl, parsePackageUrl } from "@touchmark/formats/package-url";
import type { Component, SbomSubject } from "@touchmark/formats/sbom";
import type { VexProduct } from "./statement.ts";

/** Whether a name means something, and if not, why: the nearest miss is what people need to see. */
export type Meaning = { readonly isMeant: true } | { readonly isMeant: false; readonly why: string };

const meant: Meaning = { isMeant: true };
const no = (why: string): Meaning => ({ isMeant: false, why });

/** What is scanned, with the component that stands for it. */
export interface ScannedSubject {
  readonly subject: SbomSubject;
  readonly root: Component | undefined;
}

/** Whether a product of a statement means this component of this subject. */
export function productMeans(product: VexProduct, component: Component, scanned: ScannedSubject): Meaning {
  if (product.subcomponents.length === 0) {
    const itself = anyOf(product.ids, (id) => namesComponent(id, component));
    if (itself.isMeant) return itself;
    // The whole subject: every component of it.
    const whole = anyOf(product.ids, (id) => namesSubject(id, scanned));
    return whole.isMeant ? whole : itself;
  }
  const whole = anyOf(product.ids, (id) => {
    const subject = namesSubject(id, scanned);
    return subject.isMeant ? subject : namesComponent(id, component);
  });
  if (!whole.isMeant) return no(`the product is another one: ${whole.why}`);
  return anyOf(product.subcomponents, (id) => namesComponent(id, component));
}

function anyOf(ids: readonly string[], judge: (id: string) => Meaning): Meaning {
  let nearest: Meaning = no("it names nothing");
  for (const id of ids) {
    const meaning = judge(id);
    if (meaning.isMeant) return meaning;
    // A version or qualifier that differs says more than another name.
    if (!nearest.isMeant && !/version|qualifier/.test(nearest.why)) nearest = meaning;
  }
  return nearest;
}

function namesComponent(id: string, component: Component): Meaning {
  if (id === component.ref || refOf(id) === component.ref) return meant;
  if (id.startsWith("sha256:")) {
    const has = component.hashes.some(({ algorithm, value }) => algorithm === "sha256" && `sha256:${value}` === id);
    return has ? meant : no(`${id} is the digest of something else`);
  }
  if (!id.startsWith("pkg:")) return no(`${id} is no name of ${component.name}`);
  if (component.purl === undefined) return no(`${component.name} has no package URL`);
  return samePackage(id, component.purl);
}

function namesSubject(id: string, { subject, root }: ScannedSubject): Meaning {
  if (subject.digest !== undefined && id === subject.digest) return meant;
  if (root !== undefined && (id === root.ref || refOf(id) === root.ref)) return meant;
  if (!id.startsWith("pkg:")) return id === subject.name ? meant : no(`${id} is another artifact than ${subject.name}`);
  if (root?.purl !== undefined) {
    const itself = samePackage(id, root.purl);
    if (itself.isMeant) return itself;
  }
  // An image by its digest (purl-spec, type oci), whatever its qualifiers say of tags and registries.
  const named = read(id);
  if (named?.type === "oci" && subject.digest !== undefined && named.version === subject.digest) return meant;
  return no(`${id} is another artifact than ${subject.name}`);
}

/** The part of an SBOM that a BOM-Link means (CycloneDX, `urn:cdx:SERIAL/VERSION#REF`). */
function refOf(id: string): string | undefined {
  if (!id.startsWith("urn:cdx:")) return undefined;
  const ref = id.slice(id.indexOf("#") + 1);
  try {
    return decodeURIComponent(ref);
  } catch {
    return ref;
  }
}

/**
 * Whether one package URL covers another: same type, namespace and name; the version where it states one; and every
 * qualifier that it states. What it leaves out holds for all, as OpenVEX's product identifiers are read.
 */
function samePackage(stated: string, found: string): Meaning {
  const wanted = read(stated);
  const here = read(found);
  if (wanted === undefined) return no(`${stated} is no package URL`);
  if (
    here === undefined ||
    wanted.type !== here.type ||
    wanted.namespace !== here.namespace ||
    wanted.name !== here.name
  ) {
    return no(`${stated} is another package than ${found}`);
  }
  if (wanted.version !== undefined && wanted.version !== here.version) {
    return no(`it is about version ${wanted.version} of ${here.name}, and ${here.version ?? "no version"} is here`);
  }
  for (const [key, value] of Object.entries(wanted.qualifiers ?? {})) {
    const own = here.qualifiers?.[key];
    if (own !== value) return no(`its qualifier ${key} is ${value}, and here it is ${own ?? "not stated"}`);
  }
  return meant;
}

function read(purl: string): PackageUrl | undefined {
  try {
    return parsePackageUrl(purl);
  } catch (error) {
    if (isFactoryError(error)) return undefined;
    throw error;
  }
}
