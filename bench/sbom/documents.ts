import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";

/** What one program says of one input: package URLs without qualifiers, and which needs which. */
export interface Catalogued {
  readonly components: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
  /** False for programs whose output has no edges. */
  readonly tellsEdges: boolean;
}

const touchmark = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");
const scratch = mkdtempSync(join(tmpdir(), "touchmark-bench-sbom-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** A cataloguing program: its name, and how it writes a document about an input to a file. Not installed: absent. */
export interface Cataloguer {
  readonly name: string;
  argv(input: string, image: boolean, output: string): readonly string[] | undefined;
  readonly environment?: NodeJS.ProcessEnv;
  readonly read: (text: string) => Catalogued;
}

const asSource = (input: string, image: boolean): string => `${image ? "oci-dir" : "dir"}:${input}`;

export const ours: Cataloguer = {
  name: "touchmark",
  argv: (input, image, output) => [
    ...[process.execPath, touchmark, "sbom", asSource(input, image)],
    ...["--format", "cyclonedx-json", "--output", output],
  ],
  environment: { TOUCHMARK_HOME: join(scratch, "home") },
  read: readCycloneDx,
};

export function peers(): readonly Cataloguer[] {
  const [syft, cdxgen, osv] = ["syft", "cdxgen", "osv-scanner"].map((name) => findProgram(name));
  const bySyft = (name: string, environment: NodeJS.ProcessEnv): Cataloguer => ({
    name,
    argv: (input, image, output) =>
      syft === undefined ? undefined : [syft, "-q", asSource(input, image), "-o", `cyclonedx-json=${output}`],
    environment: { SYFT_CHECK_FOR_APP_UPDATE: "false", ...environment },
    read: readCycloneDx,
  });
  return [
    bySyft("syft", {}),
    bySyft("syft, with development", { SYFT_JAVASCRIPT_INCLUDE_DEV_DEPENDENCIES: "true" }),
    {
      name: "cdxgen",
      argv: (input, image, output) =>
        cdxgen === undefined || image || input.endsWith("rootfs")
          ? undefined
          : [cdxgen, "--no-recurse", "--no-install-deps", "-o", output, input],
      environment: { FETCH_LICENSE: "false" },
      read: readCycloneDx,
    },
    {
      name: "osv-scanner",
      argv: (input, image, output) =>
        osv === undefined || image
          ? undefined
          : [
              osv,
              "scan",
              "source",
              "-r",
              "--all-packages",
              "--offline",
              "--format",
              "json",
              "--output-file",
              output,
              input,
            ],
      read: readOsvScanner,
    },
  ];
}

/** Runs a program; undefined when it is not installed or does not take such an input. */
export function catalogued(by: Cataloguer, input: string, image: boolean): Catalogued | undefined {
  const output = join(scratch, "document.json");
  rmSync(output, { force: true });
  const argv = by.argv(input, image, output);
  if (argv === undefined) return undefined;
  const [program = "", ...words] = argv;
  const env = { ...process.env, ...by.environment };
  const ended = spawnSync(program, words, { env, encoding: "utf8", timeout: 300_000, maxBuffer: 1 << 28 });
  if (!existsSync(output)) {
    process.stderr.write(`${by.name} wrote nothing for ${input}, status ${ended.status}\n`);
    return { components: new Set(), edges: new Set(), tellsEdges: false };
  }
  return by.read(readFileSync(output, "utf8"));
}

interface CycloneDxComponent {
  readonly "bom-ref"?: string;
  readonly type?: string;
  readonly purl?: string;
  readonly components?: readonly CycloneDxComponent[];
}

function readCycloneDx(text: string): Catalogued {
  const document = JSON.parse(text) as {
    readonly components?: readonly CycloneDxComponent[];
    readonly dependencies?: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  };
  const names = new Map<string, string>();
  const take = (components: readonly CycloneDxComponent[]): void => {
    for (const { "bom-ref": ref, purl, components: nested } of components) {
      if (purl !== undefined) names.set(ref ?? purl, packageName(purl));
      take(nested ?? []);
    }
  };
  take(document.components ?? []);
  const edges = new Set<string>();
  for (const { ref, dependsOn } of document.dependencies ?? []) {
    for (const to of dependsOn ?? []) {
      const [a, b] = [names.get(ref), names.get(to)];
      if (a !== undefined && b !== undefined && a !== b) edges.add(`${a} > ${b}`);
    }
  }
  return { components: new Set(names.values()), edges, tellsEdges: true };
}

const purlTypes: Readonly<Record<string, string>> = {
  ...{ npm: "npm", PyPI: "pypi", Go: "golang", "crates.io": "cargo", Maven: "maven" },
  ...{ Debian: "deb/debian", RubyGems: "gem", Packagist: "composer", NuGet: "nuget" },
};

function readOsvScanner(text: string): Catalogued {
  const document = JSON.parse(text) as {
    readonly results?: readonly {
      readonly packages?: readonly {
        readonly package: { readonly name: string; readonly version: string; readonly ecosystem: string };
      }[];
    }[];
  };
  const components = new Set<string>();
  for (const { packages } of document.results ?? []) {
    for (const { package: each } of packages ?? []) {
      const type = purlTypes[each.ecosystem.split(":")[0] ?? ""] ?? each.ecosystem;
      const name = type === "maven" ? each.name.replace(":", "/") : each.name;
      components.add(packageName(`pkg:${type}/${name}@${type === "golang" ? `v${each.version}` : each.version}`));
    }
  }
  return { components, edges: new Set(), tellsEdges: false };
}

/**
 * A package URL as far as programs agree on it: decoded, without qualifiers and subpath; names of PyPI in the form that
 * the index has them, those of Go in lower case, as the type's definition asks and only we write them.
 */
function packageName(purl: string): string {
  const plain = purl.split(/[?#]/)[0] ?? purl;
  let decoded: string;
  try {
    decoded = decodeURIComponent(plain);
  } catch {
    decoded = plain;
  }
  const at = decoded.indexOf("@", "pkg:npm/@".length);
  const [name, version] = at === -1 ? [decoded, ""] : [decoded.slice(0, at), decoded.slice(at)];
  if (name.startsWith("pkg:pypi/")) return name.toLowerCase().replace(/[-_.]+/g, "-") + version;
  if (name.startsWith("pkg:golang/"))
    return name.toLowerCase() + version.replace("@vv", "@v").replace("@v(devel)", "@(devel)");
  return name + (version === "@" ? "" : version);
}
