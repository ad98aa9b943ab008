import { alpineSecdbImporter } from "./alpine-secdb.ts";
import { debianTrackerImporter } from "./debian-tracker.ts";
import { endOfLifeImporter } from "./end-of-life.ts";
import { epssImporter } from "./epss.ts";
import type { AdvisorySourceKind, Importer } from "./importer.ts";
import { kevImporter } from "./kev.ts";
import { osvImporter } from "./osv.ts";
import { redhatCsafImporter } from "./redhat-csaf.ts";
import { ubuntuOvalImporter } from "./ubuntu-oval.ts";

/** Every importer, by the kind of its source. One visible place; nothing registers itself. */
export const importers: Readonly<Record<AdvisorySourceKind, Importer>> = {
  osv: osvImporter,
  "debian-tracker": debianTrackerImporter,
  "alpine-secdb": alpineSecdbImporter,
  "redhat-csaf": redhatCsafImporter,
  "ubuntu-oval": ubuntuOvalImporter,
  kev: kevImporter,
  epss: epssImporter,
  "end-of-life": endOfLifeImporter,
};
