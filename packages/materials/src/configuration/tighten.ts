import { gateEcosystems, type ProjectGate } from "@touchmark/formats/pipeline";
import { gateErrors } from "../gate/errors.ts";
import type { GateRules } from "../gate/rules.ts";
import type { MaterialsConfiguration } from "./configuration.ts";
import { parseAge, parseMoment } from "./moment.ts";
import { sizesOf } from "./parse.ts";

/** Words of a member, from the least to the most strict. */
const scales = {
  unlocked: ["record", "signed", "refuse"],
  "locked-digest": ["announced", "lockfile"],
  strictness: ["off", "record", "refuse"],
  "install-scripts": ["list", "refuse"],
  "third-party-review": ["off", "new", "all"],
  chatter: ["allow", "refuse"],
  vulnerabilities: ["critical", "high", "medium", "low"],
} as const;

/**
 * The user's configuration with the rules that a project adds. Lists of what is refused or required add up, amounts
 * shrink, words only become stricter. SPEC K5.
 * @throws GATE_LOOSENED
 */
export function tighten(user: MaterialsConfiguration, project: ProjectGate | undefined): MaterialsConfiguration {
  if (project === undefined) return user;
  return { ...user, gate: tightenRules(user.gate, project) };
}

function tightenRules(user: GateRules, project: ProjectGate): GateRules {
  const unlocked = { ...user.unlocked };
  for (const ecosystem of gateEcosystems) {
    const wanted = project.unlocked?.[ecosystem];
    unlocked[ecosystem] = stricter(`unlocked.${ecosystem}`, scales.unlocked, user.unlocked[ecosystem], wanted);
  }
  const vulnerabilities =
    user.vulnerabilities === undefined
      ? project.vulnerabilities
      : stricter("vulnerabilities", scales.vulnerabilities, user.vulnerabilities, project.vulnerabilities);
  const asOf = earlier(user.asOf, project["as-of"]);
  return {
    ...user,
    unlocked,
    lockedDigest: stricter("locked-digest", scales["locked-digest"], user.lockedDigest, project["locked-digest"]),
    denied: [
      ...user.denied,
      ...(project.denied ?? []).map((each) => ({ packages: each.package, reason: each.reason })),
    ],
    ...(asOf === undefined ? {} : { asOf }),
    minimumAge: { ...user.minimumAge, seconds: longer(user.minimumAge.seconds, project["minimum-age"]) },
    lookalike: {
      ...user.lookalike,
      mode: stricter("lookalike", scales.strictness, user.lookalike.mode, project.lookalike),
      // A name that the user knows passes the rule itself; one that only the project names is just protected.
      protected: [...user.lookalike.protected, ...(project["known-names"] ?? [])],
    },
    installScripts: {
      ...user.installScripts,
      mode: stricter(
        "install-scripts",
        scales["install-scripts"],
        user.installScripts.mode,
        project["install-scripts"],
      ),
    },
    requiredEvidence: [...user.requiredEvidence, ...(project["required-evidence"] ?? [])],
    licence: { ...user.licence, denied: [...user.licence.denied, ...(project["licence-denied"] ?? [])] },
    ...(vulnerabilities === undefined ? {} : { vulnerabilities }),
    newPublisher: stricter("new-publisher", scales.strictness, user.newPublisher, project["new-publisher"]),
    vanishedEvidence: stricter(
      "vanished-evidence",
      scales.strictness,
      user.vanishedEvidence,
      project["vanished-evidence"],
    ),
    withdrawn: stricter("withdrawn", scales.strictness, user.withdrawn, project.withdrawn),
    thirdPartyReview: {
      ...user.thirdPartyReview,
      required: stricter(
        "third-party-review",
        scales["third-party-review"],
        user.thirdPartyReview.required,
        project["third-party-review"],
      ),
    },
    chatter: stricter("chatter", scales.chatter, user.chatter, project.chatter),
    sizes: smaller(user.sizes, sizesOf(project.sizes, user.sizes)),
  };
}

function stricter<Word extends string>(
  member: string,
  scale: readonly string[],
  user: Word,
  project: Word | undefined,
): Word {
  if (project === undefined) return user;
  if (scale.indexOf(project) < scale.indexOf(user)) throw loosened(member, user, project);
  return project;
}

function longer(user: number, project: string | undefined): number {
  if (project === undefined) return user;
  const seconds = parseAge(project);
  if (seconds < user) throw loosened("minimum-age", `${user}s`, project);
  return seconds;
}

function earlier(user: string | undefined, project: string | undefined): string | undefined {
  if (project === undefined) return user;
  const moment = parseMoment(project);
  if (user !== undefined && Date.parse(moment) > Date.parse(user)) throw loosened("as-of", user, project);
  return moment;
}

function smaller(user: GateRules["sizes"], project: GateRules["sizes"]): GateRules["sizes"] {
  for (const name of Object.keys(user) as (keyof GateRules["sizes"])[]) {
    if (project[name] > user[name]) throw loosened(`sizes.${name}`, String(user[name]), String(project[name]));
  }
  return project;
}

function loosened(member: string, user: string, project: string): Error {
  return gateErrors.make(
    "GATE_LOOSENED",
    `materials.${member}: expected ${user} or stricter, as the user's configuration has it, found ${project}`,
  );
}
