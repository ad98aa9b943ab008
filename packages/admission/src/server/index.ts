export { type ImagePlace, imagePlaces, readImagePlace } from "../review/places.ts";
export { yamlText } from "../webhook/manifest-text.ts";
export { type ManifestWishes, webhookManifests } from "../webhook/manifests.ts";
export {
  type CertificateFiles,
  followCertificateFiles,
  readCertificateFiles,
  type ServerCertificate,
} from "./certificate-files.ts";
export { admitComponents, type Readiness, type SelfAdmission, type SelfAdmissionSettings } from "./readiness.ts";
export { type AdmissionServer, type AdmissionServerSettings, admissionServer } from "./serve.ts";
export type { AdmissionLimits } from "./service.ts";
