import type { Digest } from "@touchmark/core";
import type { ArtifactRule, Layout, LayoutStep } from "../policy/layout.ts";
import { inTotoErrors } from "./errors.ts";
import type { ClassicKey } from "./key.ts";
import type { ClassicLayout, ClassicStep } from "./layout.ts";

/** A layout for classic tools, and what it no longer says that they do not check anyway. */
export interface ClassicExport {
  readonly layout: ClassicLayout;
  readonly losses: readonly string[];
}

/**
 * One of our layouts for classic tools. Their functionaries are keys: `keys` has those that the digests mean.
 * @throws INTOTO_NOT_REPRESENTABLE for what would be weaker: identities, attestations, rules, the source, unknown keys
 */
export function classicFromLayout(layout: Layout, keys: Iterable<ClassicKey>): ClassicExport {
  const byDigest = new Map<Digest, ClassicKey>([...keys].map((key) => [key.digest, key]));
  const used = new Map<string, ClassicKey>();
  const keysOf = (step: LayoutStep): readonly string[] => {
    const found = step.functionaries.map((name) => keyOf(layout, name, byDigest));
    for (const key of found) used.set(key.keyid, key);
    return [...new Set(found.map((key) => key.keyid))];
  };
  const steps = layout.steps.map((step): ClassicStep => {
    if ((step.attestations ?? []).length > 0) throw weaker(`step ${step.name} wants further attestations`);
    return {
      name: step.name,
      command: step.command ?? [],
      materials: rulesOf(step.materials, step.name),
      products: rulesOf(step.products, step.name),
      threshold: step.threshold ?? 1,
      pubkeys: keysOf(step),
    };
  });
  const inspections = (layout.inspections ?? []).map((inspection) => {
    if ((inspection.rules ?? []).length > 0) throw weaker(`inspection ${inspection.name} has rules`);
    return {
      name: inspection.name,
      run: inspection.command,
      materials: rulesOf(inspection.materials, inspection.name),
      products: rulesOf(inspection.products, inspection.name),
    };
  });
  for (const subject of layout.subjects) {
    if (subject.expression !== undefined || (subject.rules ?? []).length > 0) {
      throw weaker(`the subject of step ${subject.step} has rules`);
    }
  }
  const classic: ClassicLayout = {
    expires: layout.expires.replace(/\.\d{3}Z$/, "Z"),
    readme: layout.description ?? "",
    keys: Object.fromEntries(used),
    steps,
    inspections,
  };
  return { layout: classic, losses: lossesOf(layout) };
}

function keyOf(layout: Layout, name: string, keys: ReadonlyMap<Digest, ClassicKey>): ClassicKey {
  const { identities = [], keys: digests = [] } = layout.functionaries[name] ?? {};
  if (identities.length > 0) throw weaker(`functionary ${name} is known by identities, which need certificates`);
  const [first, ...others] = digests;
  // Two keys of one functionary count once for a threshold; two classic keys count twice.
  if (first === undefined || others.length > 0) throw weaker(`functionary ${name} has ${digests.length} keys`);
  const key = keys.get(first);
  if (key === undefined) throw weaker(`the public key ${first} of functionary ${name} was not given`);
  return key;
}

function rulesOf(rules: readonly ArtifactRule[] | undefined, where: string): readonly ArtifactRule[] {
  for (const rule of rules ?? []) {
    if (rule.from === "source") throw weaker(`${where} matches artifacts with the source revision`);
  }
  return rules ?? [];
}

function lossesOf(layout: Layout): string[] {
  const losses = [`name ${layout.name} and version ${layout.version}`];
  if (layout.source !== undefined) losses.push("where the source is");
  for (const { name, after = [] } of layout.steps) {
    if (after.length > 0) losses.push(`that ${name} comes after ${after.join(", ")}`);
  }
  for (const { step, products } of layout.subjects) {
    losses.push(`that the artifact is ${products === undefined ? "a product" : products.join(" or ")} of ${step}`);
  }
  return losses;
}

function weaker(what: string): Error {
  const hint = "Classic layouts know keys, artifact rules and inspections alone.";
  return inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", `${what}, which a classic layout cannot say`, { hint });
}
