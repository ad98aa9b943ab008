import { isFactoryError } from "@touchmark/core";
import { type Layout, type LayoutInspection, type LayoutStep, layout as layoutShape } from "../policy/layout.ts";
import type { Functionary } from "../policy/policy.ts";
import { inTotoErrors } from "./errors.ts";
import type { ClassicKey } from "./key.ts";
import type { ClassicLayout } from "./layout.ts";

/** What a classic layout does not say of itself. */
export interface LayoutNaming {
  readonly name: string;
  /** Default 1. */
  readonly version?: number;
}

/**
 * A classic layout as ours. Keys stay keys, and one key under two ids becomes one functionary. No `after` is made of its
 * MATCH rules: those that match nothing are no reason to refuse in a classic layout.
 * @throws INTOTO_NOT_REPRESENTABLE for certificate constraints, steps without keys, and names that ours cannot have
 */
export function layoutFromClassic(classic: ClassicLayout, naming: LayoutNaming): Layout {
  const names = new Map<string, string>();
  const functionaries: Record<string, Functionary> = {};
  for (const [id, key] of Object.entries(classic.keys)) {
    const name = functionaryName(key);
    names.set(id, name);
    functionaries[name] = { keys: [key.digest] };
  }
  const last = classic.steps.at(-1);
  if (last === undefined)
    throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", "expected a step, found a layout without");
  const steps = classic.steps.map((step): LayoutStep => {
    if (step.certificateConstraints !== undefined) {
      const text = `step ${step.name} is done by holders of certificates, whose authorities only the tools in Go follow`;
      throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", text, { hint: "Name identities in a layout of ours." });
    }
    return {
      name: step.name,
      functionaries: [...new Set(step.pubkeys.map((id) => names.get(id) ?? id))],
      threshold: step.threshold,
      ...(step.command.length === 0 ? {} : { command: step.command }),
      materials: step.materials,
      products: step.products,
    };
  });
  const inspections = classic.inspections.map(
    ({ name, run, materials, products }): LayoutInspection => ({ name, command: run, materials, products }),
  );
  return checkedLayout({
    touchmark: "layout/v1",
    name: naming.name,
    version: naming.version ?? 1,
    expires: classic.expires,
    ...(classic.readme === "" ? {} : { description: classic.readme }),
    functionaries,
    steps,
    ...(inspections.length === 0 ? {} : { inspections }),
    // A classic layout speaks of what its last step makes.
    subjects: [{ step: last.name }],
  });
}

/** The layout, when it has the shape of ours. @throws INTOTO_NOT_REPRESENTABLE */
export function checkedLayout(layout: Layout): Layout {
  try {
    layoutShape.check(layout, "layout");
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", cause.message, { cause });
  }
  for (const { name } of [...layout.steps, ...(layout.inspections ?? [])]) {
    if (name !== "source") continue;
    throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", "no step is called `source`, which is the source revision");
  }
  return layout;
}

/** A functionary's name that says which key it is. */
export function functionaryName(key: ClassicKey): string {
  return `key_${key.digest.slice(7, 23)}`;
}
