/** Results in the shapes that other scanners write, of one npm package `left` 1.2.0 with one vulnerability. */
export const grypeResult = {
  matches: [
    {
      vulnerability: { id: "GHSA-aaaa-bbbb-cccc", severity: "High", fix: { versions: ["2.0.0"], state: "fixed" } },
      relatedVulnerabilities: [{ id: "CVE-2026-1001" }],
      matchDetails: [{ type: "exact-direct-match" }],
      artifact: { name: "left", version: "1.2.0", type: "npm", purl: "pkg:npm/left@1.2.0" },
    },
  ],
  source: { type: "directory", target: "." },
  distro: { name: "", version: "", idLike: null },
  descriptor: { name: "grype", version: "0.100.0" },
};

export const trivyResult = {
  SchemaVersion: 2,
  Trivy: { Version: "0.60.0" },
  ArtifactName: ".",
  Results: [
    {
      Target: "package-lock.json",
      Class: "lang-pkgs",
      Type: "npm",
      Packages: [
        { Name: "left", Version: "1.2.0", Identifier: { PURL: "pkg:npm/left@1.2.0" } },
        { Name: "right", Version: "3.0.0", Identifier: { PURL: "pkg:npm/right@3.0.0" } },
      ],
      Vulnerabilities: [
        {
          VulnerabilityID: "CVE-2026-1001",
          PkgName: "left",
          InstalledVersion: "1.2.0",
          FixedVersion: "2.0.0, 1.9.9",
          Severity: "HIGH",
          PkgIdentifier: { PURL: "pkg:npm/left@1.2.0" },
        },
      ],
    },
    { Target: "Dockerfile", Class: "config", Vulnerabilities: null },
  ],
};

export const osvScannerResult = {
  results: [
    {
      source: { path: "package-lock.json", type: "lockfile" },
      packages: [
        {
          package: { name: "left", version: "1.2.0", ecosystem: "npm" },
          vulnerabilities: [{ id: "GHSA-aaaa-bbbb-cccc", aliases: ["CVE-2026-1001"] }],
          groups: [{ ids: ["GHSA-aaaa-bbbb-cccc"], aliases: ["CVE-2026-1001"], max_severity: "7.5" }],
        },
      ],
    },
  ],
};

export const syftResult = {
  artifacts: [{ name: "left", version: "1.2.0", type: "npm", purl: "pkg:npm/left@1.2.0" }],
  descriptor: { name: "syft", version: "1.52.0" },
};

/** SARIF of a scanner whose words are given. */
export function sarifResult(tool: string, ruleId: string, text: string) {
  return {
    version: "2.1.0",
    runs: [{ tool: { driver: { name: tool } }, results: [{ ruleId, level: "error", message: { text } }] }],
  };
}

/** Any of them as bytes. */
export const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
