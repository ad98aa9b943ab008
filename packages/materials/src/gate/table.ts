import type { Rule } from "./rule.ts";
import { archiveSafety } from "./rules/archive-safety.ts";
import { chatter } from "./rules/chatter.ts";
import { denied } from "./rules/denied.ts";
import { installScripts } from "./rules/install-scripts.ts";
import { licence } from "./rules/licence.ts";
import { locked } from "./rules/locked.ts";
import { lockedDigest } from "./rules/locked-digest.ts";
import { lookalike } from "./rules/lookalike.ts";
import { minimumAge, versionAsOf } from "./rules/minimum-age.ts";
import { newPublisher, vanishedEvidence } from "./rules/publisher.ts";
import { requiredEvidence } from "./rules/required-evidence.ts";
import { sameNameOtherBytes } from "./rules/same-name-other-bytes.ts";
import { sizeAndCount } from "./rules/size-and-count.ts";
import { thirdPartyReview } from "./rules/third-party-review.ts";
import { trustedRepositories } from "./rules/trusted-repositories.ts";
import { vulnerabilities } from "./rules/vulnerabilities.ts";
import { withdrawn } from "./rules/withdrawn.ts";

/** Every rule, in the order of results and of the page about them: the gravest first, whose code a refusal has. */
export const gateRules: readonly Rule[] = [
  chatter,
  trustedRepositories,
  denied,
  lookalike,
  locked,
  lockedDigest,
  sameNameOtherBytes,
  thirdPartyReview,
  minimumAge,
  versionAsOf,
  withdrawn,
  newPublisher,
  requiredEvidence,
  vanishedEvidence,
  installScripts,
  archiveSafety,
  sizeAndCount,
  licence,
  vulnerabilities,
];
