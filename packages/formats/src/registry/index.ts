export { type WrittenUser, withUser } from "./edit.ts";
export { type RegistryDocument, registryActions, registryDocument, registrySchema } from "./schema.ts";
