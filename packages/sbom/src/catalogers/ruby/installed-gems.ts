import { gemPackageUrl } from "@touchmark/formats/package-url";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { scanLoss } from "../scan-loss.ts";
import { compareGemVersions, meetsGemRequirement } from "./gem-version.ts";
import { type InstalledGem, parseGemspec } from "./gemspec.ts";

const place = /^(|.*\/)specifications\/(?:default\/)?[^/]+\.gemspec$/;
const largest = 4 * 1024 * 1024;
const mostVersions = 200;

interface Installed {
  readonly file: CollectedFile;
  readonly gem: InstalledGem;
}

/** Gems that are installed, by the specifications that RubyGems keeps of them. */
export const installedGems: Cataloger = {
  name: "installed-gems",
  wants: ({ name, path }) => name.endsWith(".gemspec") && place.test(path),
  catalogue(files): Found {
    const losses: ScanLoss[] = [];
    const installed: Installed[] = [];
    for (const file of files) {
      try {
        const gem = parseGemspec(Buffer.from(file.bytes(largest)).toString("utf8"));
        if (gem !== undefined) installed.push({ file, gem });
        else losses.push({ path: file.path, code: "SBOM_FILE_MALFORMED", message: "expected what RubyGems writes" });
      } catch (error) {
        losses.push(scanLoss(file.path, error));
      }
    }
    const byName = new Map<string, Installed[]>();
    for (const one of installed) {
      const known = byName.get(one.gem.name);
      if (known === undefined) byName.set(one.gem.name, [one]);
      else if (known.length < mostVersions) known.push(one);
    }
    const edges = installed.map((one) => {
      const to = one.gem.dependencies.flatMap(({ name, requirements }) => chosen(byName.get(name) ?? [], requirements));
      return { from: one.file.path, to: [...new Set(to.map(({ file }) => file.path))] };
    });
    const needed = new Set(edges.flatMap(({ to }) => to));
    const components = installed.map(component);
    return { components, edges, roots: components.map(({ key }) => key).filter((key) => !needed.has(key)), losses };
  },
};

/** What RubyGems activates: of those that meet the requirements the newest; where none does, nothing. */
function chosen(gems: readonly Installed[], requirements: readonly string[]): readonly Installed[] {
  const fitting = gems.filter(({ gem }) => requirements.every((word) => meetsGemRequirement(gem.version, word)));
  const [first, ...others] = fitting;
  if (first === undefined) return [];
  return [
    others.reduce((best, one) => (compareGemVersions(one.gem.version, best.gem.version) > 0 ? one : best), first),
  ];
}

function component({ file, gem }: Installed): FoundComponent {
  const { name, version, platform, licences, authors, homepage, summary } = gem;
  const base = place.exec(file.path)?.[1] ?? "";
  return {
    key: file.path,
    kind: "library",
    name,
    version,
    purl: gemPackageUrl(name, version, platform),
    type: "gem",
    scope: "runtime",
    declaredLicences: licences.map((licence) => normaliseDeclared(licence, file.path)),
    ...(authors.length > 0 && { supplier: authors.slice(0, 20).join(", ") }),
    ...(homepage !== undefined && { homepage }),
    ...(summary !== undefined && { description: summary }),
    properties: platform === undefined ? [] : [{ name: "touchmark:platform", value: platform }],
    occurrences: [
      { path: file.path, rule: "gem-specification", ...(file.layer !== undefined && { layer: file.layer }) },
    ],
    owns: [file.path],
    ownsBelow: [`${base}gems/${name}-${version}${platform === undefined ? "" : `-${platform}`}`],
  };
}
