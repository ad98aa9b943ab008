import type { MaterialExplanation } from "@touchmark/pipeline";
import { oneLine } from "../terminal.ts";

/** What a factory built a package of. */
export type ShownBuild = Extract<MaterialExplanation["builtOf"], { build: unknown }>["build"];

/** Levels, and materials of each, that people are shown; `--json` has all. */
const SHOWN = { depth: 4, materials: 20 } as const;

/** A build as an indented list, each material below what it is part of. */
export function buildLines(build: ShownBuild, depth = 1): string[] {
  // Those that bring their own provenance first: they are what there is to look into.
  const sorted = [...build.materials].sort((a, b) => Number(b.build !== undefined) - Number(a.build !== undefined));
  const lines = [oneLine(`built by ${build.signer} of`)];
  for (const { uri, digests, build: inner } of sorted.slice(0, SHOWN.materials)) {
    const [digest = ""] = Object.entries(digests).map(([algorithm, value]) => `${algorithm}:${value}`);
    lines.push(`  ${oneLine(`${uri ?? "unnamed"} ${digest}`.trim())}`);
    if (inner === undefined) continue;
    if (depth < SHOWN.depth) lines.push(...buildLines(inner, depth + 1).map((line) => `    ${line}`));
    else lines.push(`    built of ${inner.materials.length} materials`);
  }
  const more = sorted.length - SHOWN.materials;
  if (more > 0) lines.push(`  and ${more} more`);
  return lines;
}
