export { normaliseDeclared } from "./declared.ts";
