export { authorityOf, certificateOfFactory, RENEW_SECONDS, type ServerCertificate } from "./certificate.ts";
export { type RegistryPlace, registryPlace } from "./place.ts";
export { openRegistryServer, type RegistryServer, type RegistryServerOptions } from "./registry-server.ts";
export { mintRegistryToken, type RegistryToken, type RegistryTokenRequest } from "./registry-token.ts";
export { openRegistryBackend, type ServedBackend } from "./storage.ts";
