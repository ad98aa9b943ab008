import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedNpm } from "./npm-announced.ts";
import { askNpm } from "./npm-ask.ts";
import { classifyNpm } from "./npm-classify.ts";
import { npmSettings } from "./npm-settings.ts";

/** The registry protocol of npm, which pnpm, yarn and bun speak as well. */
export const npm: EcosystemAdapter = {
  ecosystem: "npm",
  classify: classifyNpm,
  announced: announcedNpm,
  clientSettings: npmSettings,
  askClient: askNpm,
};
