import type { AdvisoryDatabase } from "@touchmark/advisories";
import { matchSbom } from "@touchmark/advisories";
import { parsePackageUrl } from "@touchmark/formats/package-url";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import type { KnownVulnerabilities } from "@touchmark/materials";

/** A package that is known by its URL alone. */
export interface NamedPackage {
  readonly purl: string;
  /** SPDX expression that it declares. */
  readonly licence?: string;
  /** SHA-256 of its archive, lower-case hex. */
  readonly sha256?: string;
}

/** Packages as an SBOM without edges; each URL stands once. */
export function sbomOfPackages(name: string, packages: readonly NamedPackage[]): Sbom {
  const root = `touchmark:${name}`;
  const components = new Map<string, Component>();
  for (const each of packages) components.set(each.purl, componentOf(each));
  const refs = [...components.keys()].sort();
  return {
    subject: { kind: "artifact", name },
    root,
    components: [rootOf(root, name), ...refs.flatMap((ref) => components.get(ref) ?? [])],
    dependencies: [{ from: root, to: refs }],
    layers: [],
    losses: [],
    tools: [],
  };
}

const nothing = {
  hashes: [],
  declaredLicences: [],
  detectedLicences: [],
  cpes: [],
  occurrences: [],
  properties: [],
} as const;

function rootOf(ref: string, name: string): Component {
  return { ...nothing, ref, kind: "application", name, version: "", type: "generic", scope: "runtime" };
}

function componentOf({ purl, licence, sha256 }: NamedPackage): Component {
  const { type, namespace, name, version } = parsePackageUrl(purl);
  const separator = type === "maven" ? ":" : "/";
  const isDistribution = type === "deb" || type === "apk" || type === "rpm";
  return {
    ...nothing,
    ref: purl,
    kind: "library",
    name: namespace === undefined || isDistribution ? name : `${namespace}${separator}${name}`,
    version: version ?? "",
    purl,
    type,
    scope: "unknown",
    direct: true,
    ...(licence === undefined ? {} : { declaredLicences: [{ expression: licence, confidence: 1 }] }),
    ...(sha256 === undefined ? {} : { hashes: [{ algorithm: "sha256", value: sha256 }] }),
  };
}

/** What the advisory data says of one package, for the gate at the door. */
export function knownVulnerabilities(database: AdvisoryDatabase, purl: string, at: Date): KnownVulnerabilities {
  const { findings, notEvaluated } = matchSbom(sbomOfPackages("door", [{ purl }]), database, { at: at.toISOString() });
  const clean = findings.find(({ advice }) => advice.clean !== undefined)?.advice.clean;
  const [reason] = notEvaluated;
  return {
    database: database.facts.digest,
    findings: findings.map(({ id, severity, advice }) => ({
      id,
      class: severity.class,
      ...(advice.nearest === undefined ? {} : { fixed: advice.nearest }),
    })),
    ...(clean === undefined ? {} : { clean }),
    ...(reason === undefined ? {} : { notEvaluated: reason.message }),
  };
}
