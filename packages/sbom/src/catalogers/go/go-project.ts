import { type GoModule, type GoReplacement, type GoWorkspace, readGoModule } from "@touchmark/formats/lockfiles";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CollectedFile } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { goErrors } from "./errors.ts";
import type { GoSums } from "./go-sums.ts";
import type { RequiredModule } from "./module-components.ts";

/** A module that lies in the tree, with the modules that it is built of as far as its files say. */
export interface GoProject {
  readonly file: CollectedFile;
  /** Folder of its go.mod with a slash behind it; empty for the root. */
  readonly directory: string;
  readonly module: GoModule;
  readonly required: readonly RequiredModule[];
  readonly losses: readonly ScanLoss[];
}

/** A go.work with its folder. */
export interface FoundWorkspace {
  readonly directory: string;
  readonly workspace: GoWorkspace;
}

const largest = 16 * 1024 * 1024;

/** Reads a go.mod with the hashes that were found for it. @throws codes of `lockfileErrors` */
export function readGoProject(
  file: CollectedFile,
  sums: GoSums,
  hasSums: boolean,
  workspace: FoundWorkspace | undefined,
): GoProject {
  const text = Buffer.from(file.bytes(largest)).toString("utf8");
  const module = readGoModule(text);
  const excluded = new Set(module.exclude.map(({ path, version }) => `${path}@${version}`));
  const replace = [...(workspace?.workspace.replace ?? []), ...module.replace];
  const lines = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    const [, path] = /^\s*(?:require\s+)?(\S+)\s+v/.exec(line) ?? [];
    if (path !== undefined && !lines.has(path)) lines.set(path, index + 1);
  }
  const required: RequiredModule[] = [];
  for (const { path, version, indirect } of module.require) {
    if (excluded.has(`${path}@${version}`)) continue;
    const line = lines.get(path);
    const replacement = replacementOf(replace, path, version);
    required.push({
      path,
      version,
      direct: !indirect,
      ...(replacement !== undefined && { replacement: replacement.to }),
      ...(line !== undefined && { line }),
    });
  }
  const losses: ScanLoss[] = [];
  if (!hasSums && required.length > 0) {
    const message = `expected a go.sum beside ${file.path}, found none`;
    losses.push(scanLoss(file.path, goErrors.make("SBOM_GO_SUM_MISSING", message)));
  }
  if (isBeforePruning(module.go) && required.length > 0) {
    const message = `expected go 1.17 or later, found ${module.go ?? "none"}: modules of dependencies come from go.sum alone`;
    losses.push(scanLoss(file.path, goErrors.make("SBOM_GO_BUILD_LIST", message)));
    required.push(...sumsOnly(required, sums));
  }
  return { file, directory: file.path.slice(0, -file.name.length), module, required, losses };
}

/** One for this version counts before one for all versions. */
function replacementOf(replace: readonly GoReplacement[], path: string, version: string): GoReplacement | undefined {
  return (
    replace.find((one) => one.path === path && one.version === version) ??
    replace.find((one) => one.path === path && one.version === undefined)
  );
}

/** Since 1.17 a go.mod lists every module that the build needs. */
function isBeforePruning(go: string | undefined): boolean {
  const [, major = "1", minor = "16"] = /^(\d+)\.(\d+)/.exec(go ?? "") ?? [];
  return Number(major) === 1 && Number(minor) < 17;
}

/** Modules whose content was downloaded for the build list of some time. */
function sumsOnly(required: readonly RequiredModule[], { hashes }: GoSums): RequiredModule[] {
  const known = new Set(required.flatMap(({ path, replacement }) => [path, replacement?.path ?? path]));
  return [...hashes.keys()].flatMap((name) => {
    const at = name.lastIndexOf("@");
    const path = name.slice(0, at);
    return known.has(path) ? [] : [{ path, version: name.slice(at + 1), direct: false, isPerhaps: true }];
  });
}
