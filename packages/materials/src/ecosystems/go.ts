import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedByGo } from "./go-answers.ts";
import { classifyGo } from "./go-classify.ts";
import { goDigests } from "./go-dirhash.ts";
import { askGo, goSettings } from "./go-settings.ts";

/** Go modules by the GOPROXY protocol, and checksum databases. */
export const golang: EcosystemAdapter = {
  ecosystem: "golang",
  classify: classifyGo,
  announced: announcedByGo,
  digestsOf: goDigests,
  clientSettings: goSettings,
  askClient: askGo,
};
