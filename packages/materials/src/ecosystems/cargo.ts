import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedByCargo } from "./cargo-answers.ts";
import { classifyCargo } from "./cargo-classify.ts";
import { askCargo, cargoSettings } from "./cargo-settings.ts";

/** Crates by a sparse index. */
export const cargo: EcosystemAdapter = {
  ecosystem: "cargo",
  classify: classifyCargo,
  announced: announcedByCargo,
  clientSettings: cargoSettings,
  askClient: askCargo,
};
