import { equalBytes } from "@touchmark/core";
import { type Certificate, DerReader, derTag, type GeneralName } from "@touchmark/formats/evidence";
import { verifyErrors } from "./errors.ts";

/** Checks the names of a certificate against the constraints of the authorities above it (RFC 5280 §6.1.4 g). @throws CERTIFICATE_NAME_CONSTRAINT */
export function checkNameConstraints(certificate: Certificate, authorities: readonly Certificate[]): void {
  let names: readonly GeneralName[] | undefined;
  for (const { nameConstraints } of authorities) {
    if (nameConstraints === undefined) continue;
    names ??= namesOf(certificate);
    for (const name of names) {
      const permitted = nameConstraints.permitted.filter((each) => sameForm(each, name));
      if (permitted.length > 0 && !permitted.some((each) => matches(name, each)))
        throw breach(name, "is not permitted");
      if (nameConstraints.excluded.some((each) => sameForm(each, name) && matches(name, each, true))) {
        throw breach(name, "is excluded");
      }
    }
  }
}

function breach(name: GeneralName, why: string): Error {
  const shown = name.text === "" ? `a ${name.kind} name` : JSON.stringify(name.text.slice(0, 200));
  return verifyErrors.make("CERTIFICATE_NAME_CONSTRAINT", `${shown} ${why} by the name constraints of an authority`);
}

function namesOf(certificate: Certificate): readonly GeneralName[] {
  const subject = new DerReader(certificate.subject).contents(derTag.sequence);
  if (subject.length === 0) return certificate.subjectAltNames;
  return [...certificate.subjectAltNames, { kind: "directory", text: "", der: certificate.subject }];
}

function sameForm(a: GeneralName, b: GeneralName): boolean {
  const form = (name: GeneralName) => (name.kind === "userName" ? "other" : name.kind);
  return form(a) === form(b);
}

/** True when the name lies below the constraint. What cannot be decided counts against the name. */
function matches(name: GeneralName, constraint: GeneralName, undecided = false): boolean {
  switch (name.kind) {
    case "uri": {
      const host = uriHost(name.text);
      return host === undefined ? undecided : hostMatches(host, constraint.text.toLowerCase());
    }
    case "dns": {
      const base = constraint.text.toLowerCase().replace(/^\./, "");
      const text = name.text.toLowerCase();
      return base === "" || text === base || text.endsWith(`.${base}`);
    }
    case "email":
      return emailMatches(name.text, constraint.text);
    case "ip":
      return ipMatches(name.der, constraint.der) ?? undecided;
    case "directory":
      return directoryMatches(name.der, constraint.der);
    default:
      return undecided;
  }
}

/** The host of a URI with an authority, if it is a name and not an address (RFC 5280 §4.2.1.10). */
function uriHost(uri: string): string | undefined {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1];
  const host = authority?.replace(/:[0-9]*$/, "").toLowerCase();
  if (host === undefined || host === "" || !/^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/.test(host)) return undefined;
  return /^[0-9.]+$/.test(host) ? undefined : host;
}

/** A constraint with a leading dot is met by hosts below it, another only by the host itself. */
function hostMatches(host: string, constraint: string): boolean {
  if (constraint === "") return true;
  return constraint.startsWith(".")
    ? host.endsWith(constraint) && host.length > constraint.length
    : host === constraint;
}

function emailMatches(address: string, constraint: string): boolean {
  if (constraint.includes("@")) {
    const [local, host] = splitAddress(constraint);
    const [nameLocal, nameHost] = splitAddress(address);
    return local === nameLocal && host === nameHost;
  }
  return hostMatches(splitAddress(address)[1], constraint.toLowerCase());
}

function splitAddress(address: string): [string, string] {
  const at = address.lastIndexOf("@");
  return [address.slice(0, Math.max(at, 0)), address.slice(at + 1).toLowerCase()];
}

function ipMatches(address: Uint8Array, constraint: Uint8Array): boolean | undefined {
  if (constraint.length !== address.length * 2) return undefined;
  const mask = constraint.subarray(address.length);
  return address.every((byte, i) => (byte & (mask[i] as number)) === ((constraint[i] as number) & (mask[i] as number)));
}

/** Names are compared by their encoding, attribute by attribute from the root. */
function directoryMatches(name: Uint8Array, constraint: Uint8Array): boolean {
  const inner = rdnsOf(name);
  return rdnsOf(constraint).every((rdn, i) => inner[i] !== undefined && equalBytes(rdn, inner[i]));
}

function rdnsOf(name: Uint8Array): Uint8Array[] {
  const top = new DerReader(name).sequence();
  const rdns: Uint8Array[] = [];
  while (top.peek() !== undefined) rdns.push(top.raw(derTag.set));
  return rdns;
}
