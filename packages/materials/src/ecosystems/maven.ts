import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedByMaven } from "./maven-answers.ts";
import { askMaven } from "./maven-ask.ts";
import { classifyMaven } from "./maven-classify.ts";
import { mavenSettings } from "./maven-settings.ts";

/** Repositories in Maven's layout. */
export const maven: EcosystemAdapter = {
  ecosystem: "maven",
  classify: classifyMaven,
  announced: announcedByMaven,
  clientSettings: mavenSettings,
  askClient: askMaven,
};
