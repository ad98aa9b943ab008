import { parseJson } from "@touchmark/core";
import { foreignErrors } from "./errors.ts";
import type { ForeignFinding, ForeignPackage, ForeignScan } from "./foreign-scan.ts";

const maxBytes = 512 * 1024 * 1024;
const mostRows = 2_000_000;

type Members = { readonly [name: string]: unknown };

/** Reads what grype, trivy, osv-scanner or syft wrote as JSON, or a scanner as SARIF 2.1.0. @throws FOREIGN_SCAN_MALFORMED */
export function readForeignScan(bytes: Uint8Array, name = "a file"): ForeignScan {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes, maxDepth: 128 });
  } catch (cause) {
    throw foreignErrors.make("FOREIGN_SCAN_MALFORMED", `${name}: expected JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const document = objectOf(value);
  const reader =
    document["matches"] !== undefined
      ? readGrype
      : document["Results"] !== undefined || document["SchemaVersion"] !== undefined
        ? readTrivy
        : document["results"] !== undefined
          ? readOsvScanner
          : document["artifacts"] !== undefined
            ? readSyft
            : document["runs"] !== undefined
              ? readSarif
              : undefined;
  if (reader === undefined) {
    throw foreignErrors.make(
      "FOREIGN_SCAN_MALFORMED",
      `${name}: expected a result of grype, trivy, osv-scanner or syft, or SARIF, found members ${Object.keys(document).slice(0, 5).join(", ") || "none"}`,
    );
  }
  return reader(document);
}

function readGrype(document: Members): ForeignScan {
  const findings = listOf(document["matches"]).map((each): ForeignFinding => {
    const match = objectOf(each);
    const vulnerability = objectOf(match["vulnerability"]);
    const artifact = objectOf(match["artifact"]);
    const related = listOf(match["relatedVulnerabilities"]).map((row) => textOf(objectOf(row)["id"]));
    const fix = vulnerability["fix"] === undefined ? {} : objectOf(vulnerability["fix"]);
    return {
      ids: unique([textOf(vulnerability["id"]), ...related]),
      package: packageOf(artifact, "name", "version", "type", "purl"),
      ...severityOf(vulnerability["severity"]),
      fixed: listOf(fix["versions"]).map(textOf),
    };
  });
  const tool = document["descriptor"] === undefined ? {} : objectOf(document["descriptor"]);
  return { tool: "grype", ...versionOf(tool["version"]), packages: packagesOf(findings), findings };
}

function readTrivy(document: Members): ForeignScan {
  const packages: ForeignPackage[] = [];
  const findings: ForeignFinding[] = [];
  for (const each of listOf(document["Results"])) {
    const result = objectOf(each);
    const type = typeof result["Type"] === "string" ? result["Type"] : "unknown";
    const read = (row: Members, name: string, version: string): ForeignPackage => {
      const identifier = row["PkgIdentifier"] ?? row["Identifier"];
      const purl = identifier === undefined ? undefined : objectOf(identifier)["PURL"];
      return {
        name: textOf(row[name]),
        version: textOf(row[version] ?? ""),
        type,
        ...(typeof purl === "string" ? { purl } : {}),
      };
    };
    for (const row of listOf(result["Packages"])) packages.push(read(objectOf(row), "Name", "Version"));
    for (const row of listOf(result["Vulnerabilities"])) {
      const finding = objectOf(row);
      const fixed = finding["FixedVersion"];
      findings.push({
        ids: [textOf(finding["VulnerabilityID"])],
        package: read(finding, "PkgName", "InstalledVersion"),
        ...severityOf(finding["Severity"]),
        ...(typeof fixed === "string" && fixed !== "" ? { fixed: fixed.split(/,\s*/) } : {}),
      });
    }
  }
  const trivy = document["Trivy"] === undefined ? {} : objectOf(document["Trivy"]);
  return {
    tool: "trivy",
    ...versionOf(trivy["Version"]),
    packages: packages.length > 0 ? packages : packagesOf(findings),
    findings,
  };
}

function readOsvScanner(document: Members): ForeignScan {
  const packages: ForeignPackage[] = [];
  const findings: ForeignFinding[] = [];
  for (const result of listOf(document["results"])) {
    for (const each of listOf(objectOf(result)["packages"])) {
      const row = objectOf(each);
      const found = packageOf(objectOf(row["package"]), "name", "version", "ecosystem");
      packages.push(found);
      const severities = new Map(
        listOf(row["groups"]).flatMap((group) => {
          const { ids, max_severity: severity } = objectOf(group);
          return listOf(ids).map((id) => [textOf(id), severity] as const);
        }),
      );
      for (const vulnerability of listOf(row["vulnerabilities"])) {
        const { id, aliases } = objectOf(vulnerability);
        const own = textOf(id);
        findings.push({
          ids: unique([own, ...listOf(aliases).map(textOf)]),
          package: found,
          ...severityOf(severities.get(own)),
        });
      }
    }
  }
  return { tool: "osv-scanner", packages, findings };
}

function readSyft(document: Members): ForeignScan {
  const tool = document["descriptor"] === undefined ? {} : objectOf(document["descriptor"]);
  const packages = listOf(document["artifacts"]).map((each) =>
    packageOf(objectOf(each), "name", "version", "type", "purl"),
  );
  return { tool: "syft", ...versionOf(tool["version"]), packages };
}

/** SARIF says a rule and words; package and version stand in properties of some scanners, in the words of others. */
function readSarif(document: Members): ForeignScan {
  const tools: string[] = [];
  const findings: ForeignFinding[] = [];
  for (const each of listOf(document["runs"])) {
    const run = objectOf(each);
    const driver = objectOf(objectOf(run["tool"])["driver"]);
    tools.push(textOf(driver["name"]));
    for (const row of listOf(run["results"])) {
      const result = objectOf(row);
      const message = textOf(objectOf(result["message"])["text"] ?? "");
      const rule = textOf(result["ruleId"] ?? "");
      const [id = rule] = /(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}|\b[A-Z]{1,20}-\d{4}-\d+)/i.exec(rule) ??
        /CVE-\d{4}-\d{4,}/.exec(message) ?? [rule];
      const [named, version] = packageInWords(message);
      findings.push({ ids: [id], package: { name: named, version, type: "unknown" }, ...severityOf(result["level"]) });
    }
  }
  return { tool: tools.join(", ").slice(0, 200) || "SARIF", packages: packagesOf(findings), findings };
}

/** Package and version in the words of grype, trivy and osv-scanner; empty where there are none. */
function packageInWords(message: string): readonly [string, string] {
  const named = /(?:Package:|package)\s+'?([^\s',]+)'?/i.exec(message)?.[1] ?? "";
  const version = /(?:Installed Version:|version)\s+'?([^\s',]+)'?/i.exec(message)?.[1];
  const at = named.lastIndexOf("@");
  return version === undefined && at > 0 ? [named.slice(0, at), named.slice(at + 1)] : [named, version ?? ""];
}

function packageOf(row: Members, name: string, version: string, type: string, purl?: string): ForeignPackage {
  const url = purl === undefined ? undefined : row[purl];
  return {
    name: textOf(row[name]),
    version: textOf(row[version] ?? ""),
    type: textOf(row[type] ?? "unknown"),
    ...(typeof url === "string" && url !== "" ? { purl: url.slice(0, 4096) } : {}),
  };
}

function packagesOf(findings: readonly ForeignFinding[]): readonly ForeignPackage[] {
  return [...new Map(findings.map((each) => [JSON.stringify(each.package), each.package])).values()];
}

const severityOf = (value: unknown) =>
  typeof value === "string" && value !== "" ? { severity: value.slice(0, 64) } : {};
const versionOf = (value: unknown) =>
  typeof value === "string" && value !== "" ? { version: value.slice(0, 64) } : {};
const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

function objectOf(value: unknown): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw malformed("an object", value);
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed("a list", value);
  if (value.length > mostRows) throw malformed(`at most ${mostRows} rows`, value.length);
  return value;
}

function textOf(value: unknown): string {
  if (typeof value === "string" && value.length <= 16_384) return value;
  throw malformed("text", value);
}

function malformed(expected: string, found: unknown): Error {
  const shown = JSON.stringify(found)?.slice(0, 60) ?? "nothing";
  return foreignErrors.make("FOREIGN_SCAN_MALFORMED", `expected ${expected}, found ${shown}`);
}
