export { allCatalogers } from "./catalogers/index.ts";
export type {
  Cataloger,
  CatalogueContext,
  CollectedFile,
  FileFacts,
  Found,
  FoundComponent,
} from "./catalogue/cataloger.ts";
export { sbomErrors } from "./errors.ts";
