import { secretName } from "../pipeline/lint.ts";
import type { Report } from "./finding.ts";
import type { Instruction } from "./recipe-reader.ts";
import { givenArguments, lineageOf, pairsOf, type Stage } from "./recipe-stages.ts";
import { expand, variablesIn } from "./variables.ts";

const metadataName =
  /^(?:(?:APP|IMAGE|BUILD|GIT|VCS|CI|RELEASE|PROJECT)_)?(?:VERSION|REVISION|COMMIT|COMMIT_SHA|SHA|REF|TAG|NUMBER|ID|DATE|TIME|TIMESTAMP)$/;
/** Variables that say where a secret is, how long it lasts or what it is called. */
const aboutSecret = /_(?:FILE|FILES|PATH|DIR|URL|URI|NAME|TTL|LENGTH|EXPIRY|ISSUER|ENDPOINT|HEADER|ENABLED|TYPE)$/i;
const wanted = [
  ["source", ["org.opencontainers.image.source", "org.label-schema.vcs-url"]],
  ["revision", ["org.opencontainers.image.revision", "org.label-schema.vcs-ref"]],
  ["licenses", ["org.opencontainers.image.licenses"]],
] as const;

/** True for a name that speaks of a secret itself. */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && !aboutSecret.test(name);
}

/** Judges arguments, labels, secrets in them, and the user. */
export function lintMetadata(stages: readonly Stage[], final: Stage, escape: string, report: Report): void {
  const lineage = lineageOf(final);
  const own = lineage.flatMap(({ instructions }) => instructions).filter(({ onBuild }) => !onBuild);
  const labels = own.filter(({ name }) => name === "LABEL").flatMap((each) => pairsOf(each, escape));
  const keys = new Set(labels.map(({ name }) => name));
  const recorded = new Set(labels.flatMap(({ value = "" }) => [...variablesIn(value)]));
  for (const stage of stages) {
    for (const instruction of stage.instructions) lintSecrets(instruction, escape, report);
    lintArguments(stage, recorded, escape, report);
    if (lineage.includes(stage)) continue;
    for (const { name, at } of stage.instructions
      .filter((each) => each.name === "LABEL")
      .flatMap((each) => pairsOf(each, escape))) {
      if (!keys.has(name)) report("lost-label", at, `${name.slice(0, 100)} is not in the last stage`);
    }
  }
  const missing = wanted.filter(([, names]) => !names.some((name) => keys.has(name))).map(([name]) => name);
  if (missing.length > 0) {
    report("missing-label", final.at, `the last stage has no label org.opencontainers.image.${missing.join(", .")}`);
  }
  lintUser(lineage, final, escape, report);
}

function lintSecrets(instruction: Instruction, escape: string, report: Report): void {
  const { name: kind } = instruction;
  if (kind !== "ENV" && kind !== "ARG" && kind !== "LABEL") return;
  for (const { name, value, at } of pairsOf(instruction, escape)) {
    const plain = (value ?? "").replace(/^["']|["']$/g, "");
    const means = plain !== "" && !/^(?:true|false|0|1|none|\/\S*)$/i.test(plain);
    if (isSecretName(name) && (kind === "ARG" || means)) {
      report("secret-in-variable", at, `${kind} ${name.slice(0, 100)} stays in the history of the image`);
    }
  }
}

function lintArguments(stage: Stage, recorded: ReadonlySet<string>, escape: string, report: Report): void {
  const used = new Set<string>();
  for (const { name, rest, heredocs, flags } of stage.instructions) {
    if (name === "ARG" || name === "LABEL") continue;
    const texts = [rest.text, ...heredocs.map(({ body }) => body.text), ...flags.map(({ value = "" }) => value)];
    for (const text of texts) for (const each of variablesIn(text)) used.add(each);
  }
  for (const instruction of stage.instructions) {
    if (instruction.name !== "ARG" || instruction.onBuild) continue;
    for (const { name, at } of pairsOf(instruction, escape)) {
      if (givenArguments.has(name) || recorded.has(name) || isSecretName(name)) continue;
      if (metadataName.test(name)) report("metadata-in-argument", at, `no label of the last stage holds $${name}`);
      else if (used.has(name))
        report("unrecorded-argument", at, `$${name.slice(0, 100)} is used, and no label of the last stage holds it`);
    }
  }
}

function lintUser(lineage: readonly Stage[], final: Stage, escape: string, report: Report): void {
  for (const stage of lineage) {
    const user = stage.instructions.findLast(({ name, onBuild }) => name === "USER" && !onBuild);
    if (user === undefined) continue;
    const { text, unresolved } = expand(user.rest.text.trim(), stage.lookup, escape);
    if (unresolved.length === 0 && /^(?:root|0+)(?::|$)/.test(text))
      report("runs-as-root", user.at, "the last USER is root");
    return;
  }
  const base = lineage.at(-1)?.image.text ?? "";
  if (/nonroot|rootless|unprivileged/.test(base)) return;
  report("runs-as-root", final.at, "the last stage names no USER, and the base's is root unless it says otherwise");
}
