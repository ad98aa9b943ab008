import type { Rule } from "./rule.ts";
import { denied } from "./rules/denied.ts";
import { locked } from "./rules/locked.ts";
import { trustedRepositories } from "./rules/trusted-repositories.ts";

/** Every rule, in the order of results and of the page about them. */
export const gateRules: readonly Rule[] = [trustedRepositories, denied, locked];
