export { currentLicence } from "./current.ts";
export { licenceErrors } from "./errors.ts";
export {
  joinLicences,
  type LicenceCompound,
  type LicenceExpression,
  type LicenceTerm,
  licencesIn,
  licenceText,
} from "./expression.ts";
export { isWorse, judgeLicence, type LicenceJudgement } from "./judge.ts";
export {
  findLicence,
  findLicenceException,
  type ListedLicence,
  licenceListFacts,
  listedExceptions,
  listedLicences,
} from "./list.ts";
export { parseLicenceExpression } from "./parse.ts";
export { type LicencePolicy, licencePolicy } from "./policy.ts";
