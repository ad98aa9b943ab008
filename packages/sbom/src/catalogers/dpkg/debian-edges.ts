import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CatalogueContext, Found } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import type { InstalledPackage } from "./dpkg.ts";
import { readControl } from "./paragraphs.ts";

/**
 * Which packages need which: of each group of alternatives the first that is there, of a virtual package all that
 * provide it. Roots are those that apt did not install for others; without its record, those that nothing needs.
 */
export function debianEdges(
  root: string,
  installed: readonly InstalledPackage[],
  context: CatalogueContext,
  losses: ScanLoss[],
): Pick<Found, "edges" | "roots"> {
  const byName = new Map<string, InstalledPackage[]>();
  const providers = new Map<string, InstalledPackage[]>();
  for (const one of installed) {
    add(byName, one.package.name, one);
    for (const name of one.package.provides) add(providers, name, one);
  }
  const edges = installed.map((one) => {
    const to = new Set<string>();
    for (const group of one.package.dependencies) {
      for (const name of group) {
        const found = real(byName.get(name), one) ?? providers.get(name);
        if (found === undefined) continue;
        for (const { key } of found) if (key !== one.key) to.add(key);
        break;
      }
    }
    return { from: one.key, to: [...to] };
  });
  const automatic = automaticallyInstalled(root, context, losses);
  const needed = new Set(edges.flatMap(({ to }) => to));
  const roots = installed
    .filter(({ key, package: { name, architecture } }) =>
      automatic === undefined ? !needed.has(key) : !automatic.has(`${name}:${architecture}`),
    )
    .map(({ key }) => key);
  return { edges, roots };
}

/** Of several architectures the same one, if there. */
function real(found: InstalledPackage[] | undefined, one: InstalledPackage): InstalledPackage[] | undefined {
  if (found === undefined || found.length === 1) return found;
  const same = found.find((other) => other.package.architecture === one.package.architecture);
  return same === undefined ? found : [same];
}

/** Undefined where apt's record is not there or cannot be read. */
function automaticallyInstalled(
  root: string,
  context: CatalogueContext,
  losses: ScanLoss[],
): ReadonlySet<string> | undefined {
  const file = context.file(`${root}var/lib/apt/extended_states`);
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = Buffer.from(file.bytes(largestStates)).toString("utf8");
  } catch (error) {
    losses.push(scanLoss(file.path, error));
    return undefined;
  }
  const { paragraphs } = readControl(text);
  return new Set(
    paragraphs
      .filter(({ fields }) => fields.get("auto-installed") === "1")
      .map(({ fields }) => `${fields.get("package") ?? ""}:${fields.get("architecture") ?? ""}`),
  );
}

const largestStates = 16 * 2 ** 20;

/** Packages that one name may lead to: more are a mistake or an attack. */
const mostProviders = 50;

function add(map: Map<string, InstalledPackage[]>, name: string, one: InstalledPackage): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [one]);
  else if (known.length < mostProviders) known.push(one);
}
