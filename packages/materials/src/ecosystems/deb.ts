import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedByDeb } from "./deb-answers.ts";
import { classifyDeb } from "./deb-classify.ts";
import { askDeb, debSettings } from "./deb-settings.ts";

/** Debian archives, as apt asks them. */
export const deb: EcosystemAdapter = {
  ecosystem: "deb",
  classify: classifyDeb,
  announced: announcedByDeb,
  clientSettings: debSettings,
  askClient: askDeb,
};
