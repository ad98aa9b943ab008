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
  indexOf: (name, upstream) => ({
    url: new URL(name.replace("/", "%2f"), upstream.url),
    headers: { accept: "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*" },
  }),
  clientSettings: npmSettings,
  askClient: askNpm,
};
