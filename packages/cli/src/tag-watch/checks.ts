import type { TagEvaluation } from "@touchmark/formats/predicates";
import { size } from "../output/quantity.ts";
import { type ImageFacts, isRoot } from "./image-facts.ts";

/** One answer of an evaluation. */
export type TagCheck = TagEvaluation["checks"][number];

/** What a new digest is held to. */
export interface TagDemands {
  /** Platforms that must be there. */
  readonly platforms: readonly string[];
  /** Percent by which the stored layers may grow or shrink. */
  readonly growth: number;
}

const loaders =
  /^(?:LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|NODE_OPTIONS|PYTHONPATH|PYTHONSTARTUP|BASH_ENV|ENV|PERL5OPT|RUBYOPT|JAVA_TOOL_OPTIONS|PATH)$/;

/** Compares the images behind a tag with those that were accepted. Each check answers once, for all platforms. */
export function configurationChecks(
  now: readonly ImageFacts[],
  before: readonly ImageFacts[] | undefined,
  demands: TagDemands,
): readonly TagCheck[] {
  const pairs = now.flatMap((image) => {
    const old = before?.find(({ platform }) => platform === image.platform);
    return old === undefined ? [] : [{ image, old }];
  });
  const compared = (
    check: TagCheck["check"],
    compare: (image: ImageFacts, old: ImageFacts) => string | undefined,
  ): TagCheck => {
    if (pairs.length === 0) return { check, outcome: "not-evaluated", message: "nothing was accepted before" };
    const faults = pairs.flatMap(({ image, old }) => {
      const fault = compare(image, old);
      return fault === undefined ? [] : [`${image.platform}: ${fault}`];
    });
    return faults.length === 0
      ? { check, outcome: "passed", message: "as before" }
      : { check, outcome: "failed", message: faults.join("; ").slice(0, 4000) };
  };
  return [
    platformsCheck(now, before, demands),
    compared("user", (image, old) =>
      isRoot(image.user) && !isRoot(old.user) ? `the user is root now, was ${old.user}` : undefined,
    ),
    compared("entrypoint", (image, old) => {
      const started = (facts: ImageFacts) => JSON.stringify([...facts.entrypoint, ...facts.command]);
      return started(image) === started(old) ? undefined : `starts ${started(image)} now, was ${started(old)}`;
    }),
    compared("ports", (image, old) => added("opens", image.ports, old.ports)),
    compared("volumes", (image, old) => added("declares", image.volumes, old.volumes)),
    compared("environment", (image, old) => {
      const changed = image.environment.filter(
        (each) => !old.environment.includes(each) && loaders.test(each.split("=", 1)[0] ?? ""),
      );
      return changed.length === 0 ? undefined : `${changed.join(", ")} decides what programs load`;
    }),
    compared("base", (image, old) =>
      image.base === old.base
        ? undefined
        : `stands on ${image.base || "nothing named"} now, was ${old.base || "nothing named"}`,
    ),
    compared("size", (image, old) => {
      const percent = old.bytes === 0 ? 0 : Math.round(((image.bytes - old.bytes) / old.bytes) * 100);
      return Math.abs(percent) <= demands.growth
        ? undefined
        : `${size(image.bytes)} now, was ${size(old.bytes)} (${percent > 0 ? "+" : ""}${percent} %)`;
    }),
  ];
}

function platformsCheck(
  now: readonly ImageFacts[],
  before: readonly ImageFacts[] | undefined,
  { platforms }: TagDemands,
): TagCheck {
  const there = now.map(({ platform }) => platform);
  const wanted = platforms.length > 0 ? platforms : (before ?? []).map(({ platform }) => platform);
  const missing = wanted.filter((platform) => !there.includes(platform));
  return missing.length === 0
    ? { check: "platforms", outcome: "passed", message: there.join(", ") }
    : { check: "platforms", outcome: "failed", message: `expected ${missing.join(", ")}, found ${there.join(", ")}` };
}

function added(verb: string, now: readonly string[], old: readonly string[]): string | undefined {
  const fresh = now.filter((each) => !old.includes(each));
  return fresh.length === 0 ? undefined : `${verb} ${fresh.join(", ")}`;
}

/** What differs in words, harmless or not. */
export function changesOf(now: readonly ImageFacts[], before: readonly ImageFacts[]): readonly string[] {
  const changes: string[] = [];
  for (const image of now) {
    const old = before.find(({ platform }) => platform === image.platform);
    if (old === undefined) {
      changes.push(`${image.platform}: new`);
      continue;
    }
    if (old.digest === image.digest) continue;
    const say = (what: string, from: string, to: string) => {
      if (from !== to) changes.push(`${image.platform}: ${what}: ${from || "none"} -> ${to || "none"}`.slice(0, 4000));
    };
    say("user", old.user, image.user);
    say("entrypoint", JSON.stringify(old.entrypoint), JSON.stringify(image.entrypoint));
    say("command", JSON.stringify(old.command), JSON.stringify(image.command));
    say("ports", old.ports.join(" "), image.ports.join(" "));
    say("volumes", old.volumes.join(" "), image.volumes.join(" "));
    say("base", old.base, image.base);
    say("size", size(old.bytes), size(image.bytes));
    const same = image.layers.filter((layer) => old.layers.includes(layer)).length;
    changes.push(`${image.platform}: ${same} of ${image.layers.length} layers are as before`);
    for (const variable of image.environment)
      if (!old.environment.includes(variable)) changes.push(`${image.platform}: + ${variable.slice(0, 500)}`);
    for (const variable of old.environment)
      if (!image.environment.includes(variable)) changes.push(`${image.platform}: - ${variable.slice(0, 500)}`);
  }
  for (const { platform } of before)
    if (!now.some((image) => image.platform === platform)) changes.push(`${platform}: gone`);
  return changes.slice(0, 1000);
}
