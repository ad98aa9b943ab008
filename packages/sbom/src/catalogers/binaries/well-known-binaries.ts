import { genericPackageUrl } from "@touchmark/formats/package-url";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import type { ByteSource } from "./executable.ts";
import { readJavaRelease } from "./java-release.ts";
import { isProgram } from "./programs.ts";
import { type WellKnownProgram, wellKnownProgram } from "./well-known.ts";

const chunk = 256 * 1024;
/** Longer than any text that tells a version. */
const overlap = 512;
const javaHome = /(?:^|\/)[^/]*(?:java|jdk|jre|jvm|graal|zulu|corretto|temurin)[^/]*$/i;
const longestSearch = 512 * 1024 * 1024;

/** Runtimes and servers that no package manager knows of, by text in their binaries; Java by its `release` file. */
export const wellKnownBinaries: Cataloger = {
  name: "well-known-binaries",
  wants: ({ name, head, size }) =>
    (isProgram(head) && wellKnownProgram(name) !== undefined) || (name === "release" && size < 65_536),
  catalogue(files): Found {
    const components: FoundComponent[] = [];
    const losses: ScanLoss[] = [];
    for (const file of files) {
      try {
        const component = file.name === "release" ? javaComponent(file) : programComponent(file);
        if (component !== undefined) components.push(component);
      } catch (error) {
        losses.push(scanLoss(file.path, error));
      }
    }
    return { components, edges: [], roots: components.map(({ key }) => key), losses };
  },
};

function programComponent(file: CollectedFile): FoundComponent | undefined {
  const known = wellKnownProgram(file.name);
  if (known === undefined) return undefined;
  const version = findText(file, known.version);
  if (version === undefined) return undefined;
  const { name, cpe } = known.program;
  return {
    key: file.path,
    kind: /\.so(?:\.|$)/.test(file.name) ? "library" : "application",
    name,
    version,
    purl: genericPackageUrl(name, { version }),
    type: "generic",
    scope: "runtime",
    cpes: [cpeName(cpe, version)],
    occurrences: [{ path: file.path, rule: "binary-version-text", ...(file.layer && { layer: file.layer }) }],
    owns: [file.path],
  };
}

function javaComponent(file: CollectedFile): FoundComponent | undefined {
  const release = readJavaRelease(file.bytes(65_536));
  if (release === undefined) return undefined;
  const { version, implementor, runtimeVersion, architecture } = release;
  const home = file.path.slice(0, -"release".length).replace(/\/$/, "");
  return {
    key: file.path,
    kind: "application",
    name: "java",
    version,
    purl: genericPackageUrl("java", { version }),
    type: "generic",
    scope: "runtime",
    ...(architecture !== undefined && { architecture }),
    ...(implementor !== undefined && { supplier: implementor }),
    cpes: [cpeName(["oracle", implementor?.startsWith("Oracle") === true ? "jdk" : "openjdk"], version)],
    properties: runtimeVersion === undefined ? [] : [{ name: "touchmark:java-runtime-version", value: runtimeVersion }],
    occurrences: [{ path: file.path, rule: "java-release", ...(file.layer && { layer: file.layer }) }],
    // A file of that name elsewhere must not claim a whole folder of the system.
    ...(javaHome.test(home) ? { ownsBelow: [home] } : { owns: [file.path] }),
  };
}

/** First match in the bytes of a file, read as Latin-1 in pieces. */
export function findText(source: ByteSource, pattern: RegExp): string | undefined {
  const end = Math.min(source.size, longestSearch);
  for (let from = 0; from < end; from += chunk) {
    const piece = Buffer.from(source.read(from, Math.min(chunk + overlap, end - from))).toString("latin1");
    const found = pattern.exec(piece)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

function cpeName([vendor, product]: WellKnownProgram["cpe"], version: string): string {
  // Of the characters of versions here only these need a backslash (NISTIR 7695, 6.2).
  const escaped = version.replace(/[+~]/g, "\\$&");
  return `cpe:2.3:a:${vendor}:${product}:${escaped}:*:*:*:*:*:*:*`;
}
