export {
  type ClientSandbox,
  clientMounts,
  clientSandbox,
  clientsDirectory,
  haveClients,
  treeOf,
  withFiles,
} from "./client-sandbox.ts";
export { type CarriedArchive, type ExpectedOf, RecordingDoor } from "./recording-door.ts";
