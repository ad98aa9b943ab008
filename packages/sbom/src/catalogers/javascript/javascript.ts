import type { Cataloger, Found } from "../../catalogue/cataloger.ts";
import { catalogueLockfile } from "../lockfiles/read-lockfile.ts";
import { isInstalled, lockfileRule } from "./lockfile-rules.ts";

/** npm, pnpm, yarn and bun: what lockfiles lock. */
export const javascript: Cataloger = {
  name: "javascript",
  wants: (file) => lockfileRule(file) !== undefined || (file.name === "package.json" && !isInstalled(file.path)),
  catalogue(files, context): Found {
    const found = files.flatMap((file) => {
      const rule = lockfileRule(file);
      return rule === undefined ? [] : [catalogueLockfile(file, context, rule)];
    });
    return {
      components: found.flatMap(({ components }) => components),
      edges: found.flatMap(({ edges }) => edges),
      roots: found.flatMap(({ roots }) => roots),
      losses: found.flatMap(({ losses }) => losses),
    };
  },
};
