import type { Report } from "./finding.ts";
import { baseSystem, type ImageName, isToolchainImage } from "./image-name.ts";
import { judgeImage } from "./image-rule.ts";
import { lintCopies } from "./recipe-copies.ts";
import { lintMetadata } from "./recipe-metadata.ts";
import { type Recipe, readRecipe } from "./recipe-reader.ts";
import { lintRuns, mountsOf } from "./recipe-run.ts";
import { lineageOf, pairsOf, readStages, type Stage } from "./recipe-stages.ts";
import { expand } from "./variables.ts";

/** Judges a Dockerfile. @throws CONTAINER_FILE_MALFORMED | CONTAINER_FILE_TOO_COMPLEX */
export function lintRecipe(text: string, report: Report): Recipe {
  const recipe = readRecipe(text);
  const stages = readStages(recipe);
  const final = stages.at(-1);
  if (final === undefined) return recipe;
  const lineage = new Set(lineageOf(final));
  if (recipe.syntax !== undefined && !/@sha256:[0-9a-f]{64}$/.test(recipe.syntax.text)) {
    report("syntax-without-digest", recipe.syntax.at, `${recipe.syntax.text} is named without a digest`);
  }
  lintBases(stages, lineage, report);
  lintOtherImages(stages, recipe.escape, report);
  for (const stage of stages) {
    const variables = new Set(
      lineageOf(stage)
        .flatMap(({ instructions }) => instructions)
        .filter(({ name }) => name === "ENV" || name === "ARG")
        .flatMap((each) => pairsOf(each, recipe.escape))
        .map(({ name }) => name),
    );
    const { tools, caches } = lintRuns(stage, variables, report);
    lintCopies(stage, { escape: recipe.escape, isFinal: lineage.has(stage) }, report);
    if (!lineage.has(stage)) continue;
    for (const { message, at } of caches) report("cache-left", at, message);
    for (const { name, at } of tools) {
      report("compiler-in-final-stage", at, `${name} belongs to the building, and this stage is what runs`);
    }
  }
  lintMetadata(stages, final, recipe.escape, report);
  return recipe;
}

function lintBases(stages: readonly Stage[], lineage: ReadonlySet<Stage>, report: Report): void {
  let system: string | undefined;
  for (const stage of stages) {
    if (stage.base !== undefined || stage.image.text.toLowerCase() === "scratch") continue;
    const name = judgeImage(stage.image, { rule: "from-without-digest" }, report);
    if (name === undefined) continue;
    if (lineage.has(stage)) lintFinalBase(name, stage, report);
    const found = baseSystem(name);
    if (found === undefined) continue;
    if (system !== undefined && system !== found) {
      report("several-base-systems", stage.at, `this stage rests on ${found}, an earlier one on ${system}`);
    }
    system ??= found;
  }
}

function lintFinalBase(name: ImageName, stage: Stage, report: Report): void {
  if (!isToolchainImage(name)) return;
  report("compiler-in-final-stage", stage.at, `${name.name} is an image to build with, and the last stage rests on it`);
}

/** Images that COPY --from and RUN --mount=from= name, and what else a RUN asks for. */
function lintOtherImages(stages: readonly Stage[], escape: string, report: Report): void {
  for (const stage of stages) {
    const known = (name: string) =>
      /^\d+$/.test(name)
        ? Number(name) < stage.index
        : stages.some((each) => each.index < stage.index && each.name === name.toLowerCase());
    for (const instruction of stage.instructions) {
      const { name, flags } = instruction;
      const sources =
        name === "COPY"
          ? flags.filter((flag) => flag.name === "from").map(({ value = "", at }) => ({ value, at }))
          : mountsOf(instruction).map(({ options, at }) => ({ value: options.get("from") ?? "", at }));
      for (const { value, at } of sources) {
        if (value === "" || value === "scratch" || known(value)) continue;
        judgeImage({ ...expand(value, stage.lookup, escape), at }, { rule: "from-without-digest" }, report);
      }
      for (const { options, at } of mountsOf(instruction)) {
        if (options.get("type") !== "cache") continue;
        const target = options.get("target") ?? options.get("dst") ?? "";
        report("mutable-build-cache", at, `${target === "" ? "a directory" : target} comes from earlier builds`);
      }
      for (const { name: flag, value, at } of flags) {
        if (name !== "RUN") continue;
        if (flag === "security" && value === "insecure") report("privileged", at, "this RUN is privileged");
        if (flag === "network" && value === "host")
          report("host-namespace", at, "this RUN shares the network of the machine");
      }
    }
  }
}
