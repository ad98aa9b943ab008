export { readCopyrightFile } from "./copyright.ts";
export { normaliseDeclared, normaliseDeclaredList } from "./declared.ts";
export { detectLicences } from "./detect.ts";
export { concludedLicence, judgeComponent, judgeLicences } from "./judge-licences.ts";
