import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedNpm } from "./npm-announced.ts";
import { askNpm } from "./npm-ask.ts";
import { classifyNpm } from "./npm-classify.ts";
import { npmSettings } from "./npm-settings.ts";

/** The registry protocol of npm, which pnpm, yarn and bun speak as well. */
export const npm: EcosystemAdapter = {
  ecosystem: "npm",
  classify: classifyNpm,
  announced: (facts, body, url, _earlier, wanted) => announcedNpm(facts, body, url, wanted),
  indexOf: (name, upstream) => ({
    url: new URL(name.replace("/", "%2f"), upstream.url),
    // The full document: the abbreviated one does not say when a version was published, and by whom.
    headers: { accept: "application/json" },
  }),
  clientSettings: npmSettings,
  askClient: askNpm,
};
