export { gateErrors } from "./errors.ts";
