import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, Found } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { npmErrors } from "./errors.ts";
import { isInstalled, lockfileRule } from "./lockfile-rules.ts";
import { isInstallRecord, readLocks } from "./locks.ts";
import { readManifests } from "./manifests.ts";
import { placeOf } from "./node-modules.ts";
import { joinTree } from "./project-tree.ts";
import { addProjects } from "./projects.ts";
import { resolveInstalled } from "./resolve-installed.ts";
import { unlockedProjects } from "./unlocked.ts";

/** npm, pnpm, yarn and bun: what lockfiles lock, and what lies in node_modules. */
export const javascript: Cataloger = {
  name: "javascript",
  wants(file) {
    if (lockfileRule(file) !== undefined || isInstallRecord(file.path)) return true;
    return file.name === "package.json" && (!isInstalled(file.path) || placeOf(file.path) !== undefined);
  },
  catalogue(files, context): Found {
    const { locks, losses } = readLocks(files, context);
    const manifests = readManifests(files);
    const tree = joinTree(locks, manifests);
    const { isComplete, wants } = resolveInstalled(tree, manifests);
    const roots = addProjects(tree, locks, manifests, wants);
    const tooMany: ScanLoss[] = isComplete
      ? []
      : [scanLoss("", npmErrors.make("SBOM_NPM_TOO_MANY", "installed packages ask for too many others"))];
    return {
      components: [...tree.components.values()],
      edges: [...tree.edges].map(([from, to]) => ({ from, to: [...to] })),
      roots,
      losses: [...losses, ...manifests.losses, ...unlockedProjects(locks, manifests, wants), ...tooMany],
    };
  },
};
