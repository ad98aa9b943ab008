import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CollectedFile } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { nameOf } from "./coordinates.ts";
import { type Pom, readPom } from "./pom.ts";

/** A pom of the tree. */
export interface PomFile {
  readonly file: CollectedFile;
  readonly pom: Pom;
  /** It describes a project of the tree: a `pom.xml`, not a file of a local repository. */
  readonly isProject: boolean;
  /** Beside classes that were unpacked from an archive: what it is, not what somebody builds here. */
  readonly isUnpacked: boolean;
}

/** All poms of a tree, by what others name them by. */
export interface PomTree {
  readonly poms: readonly PomFile[];
  readonly losses: readonly ScanLoss[];
  /** By path in the tree. */
  at(path: string): PomFile | undefined;
  /** By coordinates as written; a version with a property in it is one of any version. */
  named(group: string, artifact: string, version: string): PomFile | undefined;
}

const largest = 16 * 1024 * 1024;

/** Reads all poms; those that are none become losses. */
export function readPomTree(files: readonly CollectedFile[]): PomTree {
  const poms: PomFile[] = [];
  const losses: ScanLoss[] = [];
  const byName = new Map<string, PomFile>();
  // Of poms with the same coordinates the first in byte order of paths counts.
  const name = (group: string, artifact: string, version: string): void => {
    const key = `${nameOf({ group, artifact })}:${version}`;
    const last = poms.at(-1);
    if (last !== undefined && !byName.has(key)) byName.set(key, last);
  };
  for (const file of files) {
    try {
      const isProject = file.name === "pom.xml";
      const isUnpacked = /(?:^|\/)META-INF\/maven\//.test(file.path);
      const one = { file, pom: readPom(file.bytes(largest), file.path), isProject, isUnpacked };
      poms.push(one);
      const [group, version] = [writtenGroup(one.pom), writtenVersion(one.pom)];
      name(group, one.pom.artifact, version);
      if (version.includes("${")) name(group, one.pom.artifact, "${}");
    } catch (error) {
      losses.push(scanLoss(file.path, error));
    }
  }
  const byPath = new Map(poms.map((one) => [one.file.path, one]));
  return {
    poms,
    losses,
    at: (path) => byPath.get(path),
    named(group, artifact, version) {
      const full = nameOf({ group, artifact });
      return byName.get(`${full}:${version}`) ?? byName.get(`${full}:\${}`);
    },
  };
}

/** The parent of a pom: where it says, or beside it, or by its coordinates anywhere in the tree. */
export function parentOf(tree: PomTree, { file, pom }: PomFile): PomFile | undefined {
  const { parent } = pom;
  if (parent === undefined) return undefined;
  const path = parent.path ?? "../pom.xml";
  const beside = path === "" ? undefined : relativePom(tree, file.path, path);
  if (beside !== undefined && isNamed(beside.pom, parent)) return beside;
  return tree.named(parent.group, parent.artifact, parent.version);
}

/** A pom by a path relative to another: of a file, or of the folder that it lies in. */
export function relativePom(tree: PomTree, from: string, path: string): PomFile | undefined {
  const segments = from.split("/").slice(0, -1);
  for (const step of path.split(/[/\\]/)) {
    if (step === "..") {
      if (segments.pop() === undefined) return undefined;
    } else if (step !== "" && step !== ".") segments.push(step);
  }
  const place = segments.join("/");
  return tree.at(place) ?? tree.at(place === "" ? "pom.xml" : `${place}/pom.xml`);
}

function isNamed(pom: Pom, parent: NonNullable<Pom["parent"]>): boolean {
  const version = writtenVersion(pom);
  const isOpen = version.includes("${") || parent.version.includes("${");
  return (
    pom.artifact === parent.artifact && writtenGroup(pom) === parent.group && (isOpen || version === parent.version)
  );
}

function writtenGroup(pom: Pom): string {
  return pom.group ?? pom.parent?.group ?? "";
}

function writtenVersion(pom: Pom): string {
  return pom.version ?? pom.parent?.version ?? "";
}
