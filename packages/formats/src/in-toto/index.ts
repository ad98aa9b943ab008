export { olpcCanonicalJson } from "./canonical.ts";
export type { ClassicEnvelope, ClassicForm, ClassicSignature } from "./envelope.ts";
export { type InTotoErrorCode, inTotoErrors } from "./errors.ts";
export { type LayoutNaming, layoutFromClassic } from "./from-classic.ts";
export { readIteLayout } from "./ite-layout.ts";
export { type ClassicKey, classicKeyOf, keyIds, readClassicKey, writeClassicKey } from "./key.ts";
export {
  type ClassicInspection,
  type ClassicLayout,
  type ClassicStep,
  isClassic,
  type ReadClassicLayout,
  readClassicLayout,
  writeClassicLayout,
} from "./layout.ts";
export {
  type ClassicArtifacts,
  type ClassicLink,
  classicLinkFileName,
  readClassicLink,
  writeClassicLink,
} from "./link.ts";
export { classicFromLink } from "./link-to-classic.ts";
export { type ClassicSigner, classicSigner, classicSigners, verifyClassicSignatures } from "./signer.ts";
export { type ClassicExport, classicFromLayout } from "./to-classic.ts";
