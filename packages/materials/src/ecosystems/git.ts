import type { EcosystemAdapter } from "../ecosystem.ts";
import { classifyGit } from "./git-classify.ts";
import { gitSettings } from "./git-settings.ts";

/** Repositories by git's smart HTTP protocol. Git itself holds what comes to the ids that were wanted. */
export const git: EcosystemAdapter = {
  ecosystem: "git",
  classify: classifyGit,
  announced: () => [],
  clientSettings: gitSettings,
};
