export { type CompatibilityVsa, compatibilityVsa } from "./compatibility-vsa.ts";
export { type DeployReport, type DeployRequest, deployGate } from "./deploy-gate.ts";
export { environmentsOf } from "./environments.ts";
export { gateErrors } from "./errors.ts";
export { renewPublication } from "./renew-publication.ts";
