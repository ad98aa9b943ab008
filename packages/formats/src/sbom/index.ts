export type {
  Component,
  ComponentHash,
  ComponentKind,
  ComponentScope,
  DependencyEdges,
  Distribution,
  LicenceFact,
  Occurrence,
  SourcePackage,
} from "./component.ts";
export type { Sbom, SbomSubject, ScanLoss, UnownedExecutable } from "./sbom.ts";
