import type { EcosystemAdapter } from "../ecosystem.ts";
import { announcedPypi } from "./pypi-announced.ts";
import { askPypi } from "./pypi-ask.ts";
import { besidePypi, classifyPypi } from "./pypi-classify.ts";
import { normalProjectName } from "./pypi-names.ts";
import { pypiSettings } from "./pypi-settings.ts";

/** Python package indexes, as pip, uv and poetry speak to them. */
export const pypi: EcosystemAdapter = {
  ecosystem: "pypi",
  classify: classifyPypi,
  beside: besidePypi,
  announced: announcedPypi,
  indexOf: (name, upstream) => {
    const project = normalProjectName(name);
    if (project === undefined) return undefined;
    const accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";
    return { url: new URL(`${project}/`, upstream.url), headers: { accept } };
  },
  clientSettings: pypiSettings,
  askClient: askPypi,
};
