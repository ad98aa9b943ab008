import type { AdvisorySourceKind, Importer } from "./importer.ts";
import { osvImporter } from "./osv.ts";

/** Every importer, by the kind of its source. One visible place; nothing registers itself. */
export const importers: Readonly<Partial<Record<AdvisorySourceKind, Importer>>> = {
  osv: osvImporter,
};
