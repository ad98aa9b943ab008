import { digestHex } from "@touchmark/core";
import type { Component, ComponentKind, SbomSubject } from "@touchmark/formats/sbom";

const kinds: Readonly<Record<SbomSubject["kind"], ComponentKind>> = {
  image: "container",
  directory: "application",
  archive: "application",
  file: "file",
  artifact: "application",
};

/** The component that stands for the subject; its ref depends on the subject alone. */
export function rootComponent(subject: SbomSubject): Component {
  const { name, version, digest } = subject;
  return {
    ref: `subject:${encodeURI(name)}${version === undefined ? "" : `@${encodeURI(version)}`}`,
    kind: kinds[subject.kind],
    name,
    version: version ?? "",
    type: subject.kind === "image" ? "oci" : "generic",
    scope: "runtime",
    hashes: digest === undefined ? [] : [{ algorithm: "sha256", value: digestHex(digest) }],
    declaredLicences: [],
    detectedLicences: [],
    cpes: [],
    occurrences: [],
    properties: [],
  };
}
