export { licenceReference, normaliseDeclared, normaliseDeclaredList } from "./declared.ts";
