export { readCopyrightFile } from "./copyright.ts";
export { licenceReference, normaliseDeclared, normaliseDeclaredList } from "./declared.ts";
export { detectLicences, joinedDetection, spdxTags } from "./detect.ts";
export { concludedLicence, judgeComponent, judgeLicences } from "./judge-licences.ts";
