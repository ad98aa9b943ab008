export { type ClassicQuestion, type ClassicVerdict, verifyClassicLayout } from "./classic-layout.ts";
export { inspectionErrors } from "./errors.ts";
export { type InspectionRun, type Inspector, type InspectorSettings, openInspector } from "./inspector.ts";
export { type OwnLayoutQuestion, type OwnLayoutVerdict, verifyOwnLayout } from "./own-layout.ts";
