import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedPypi } from "./pypi-announced.ts";
import { askPypi } from "./pypi-ask.ts";
import { besidePypi, classifyPypi } from "./pypi-classify.ts";
import { pypiSettings } from "./pypi-settings.ts";

/** Python package indexes, as pip, uv and poetry speak to them. */
export const pypi: EcosystemAdapter = {
  ecosystem: "pypi",
  classify: classifyPypi,
  beside: besidePypi,
  announced: announcedPypi,
  clientSettings: pypiSettings,
  askClient: askPypi,
};
