import type { Component } from "@touchmark/formats/sbom";

/** A component for a document that does not say which of its own it is about. */
export function madeUpRoot(name: string): Component {
  return {
    ref: `touchmark:document:${name}`,
    kind: "application",
    name,
    version: "",
    type: "generic",
    scope: "unknown",
    hashes: [],
    declaredLicences: [],
    detectedLicences: [],
    cpes: [],
    occurrences: [],
    properties: [],
  };
}
