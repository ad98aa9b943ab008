import type { CatalogueContext, Found } from "../../catalogue/cataloger.ts";
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
  const automatic = automaticallyInstalled(root, context);
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

function automaticallyInstalled(root: string, context: CatalogueContext): ReadonlySet<string> | undefined {
  const file = context.file(`${root}var/lib/apt/extended_states`);
  if (file === undefined || file.size > 16 * 2 ** 20) return undefined;
  const { paragraphs } = readControl(Buffer.from(file.bytes()).toString("utf8"));
  return new Set(
    paragraphs
      .filter(({ fields }) => fields.get("auto-installed") === "1")
      .map(({ fields }) => `${fields.get("package") ?? ""}:${fields.get("architecture") ?? ""}`),
  );
}

/** Packages that one name may lead to: more are a mistake or an attack. */
const mostProviders = 50;

function add(map: Map<string, InstalledPackage[]>, name: string, one: InstalledPackage): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [one]);
  else if (known.length < mostProviders) known.push(one);
}
