import { readToml } from "@touchmark/formats/lockfiles";
import { pypiName } from "@touchmark/formats/package-url";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { liesBelow } from "../lies-below.ts";
import { scanLoss } from "../scan-loss.ts";
import { pythonErrors } from "./errors.ts";
import { pythonLockfile } from "./lockfile-rules.ts";
import { readRequirement } from "./requirement.ts";

const largest = 1024 * 1024;

/**
 * Projects whose pyproject.toml asks for packages that neither a lockfile at or above them has nor any environment of
 * the tree: what they need is missing from the list, and that is stated.
 */
export function unlockedProjects(
  files: readonly CollectedFile[],
  installed: readonly FoundComponent[],
): readonly ScanLoss[] {
  const directoryOf = ({ path, name }: CollectedFile): string =>
    path.slice(0, Math.max(0, path.length - name.length - 1));
  const locked = new Set(files.flatMap((file) => (pythonLockfile(file) === undefined ? [] : [directoryOf(file)])));
  const known = new Set(installed.map(({ name }) => pypiName(name)));
  return files.flatMap((file): ScanLoss[] => {
    if (file.name !== "pyproject.toml" || /^usr\/|!\/|(?:^|\/)(?:site|dist)-packages\//.test(file.path)) return [];
    if (liesBelow(directoryOf(file), locked)) return [];
    try {
      const missing = askedFor(file).filter((name) => !known.has(name));
      if (missing.length === 0) return [];
      const message = `${missing.length} packages are asked for, and no lockfile nor environment says in which version`;
      return [scanLoss(file.path, pythonErrors.make("SBOM_PYTHON_UNLOCKED", message))];
    } catch (error) {
      return [scanLoss(file.path, error)];
    }
  });
}

/** Names of `project.dependencies` (PEP 621) and of Poetry's own table. */
function askedFor(file: CollectedFile): readonly string[] {
  const document = readToml(Buffer.from(file.bytes(largest)).toString("utf8"), file.path);
  const listed = membersOf(document["project"])["dependencies"];
  const requirements = (Array.isArray(listed) ? listed : []).flatMap((one) =>
    typeof one === "string" ? (readRequirement(one)?.name ?? []) : [],
  );
  const poetry = membersOf(membersOf(membersOf(document["tool"])["poetry"])["dependencies"]);
  const named = Object.keys(poetry).filter((name) => name !== "python");
  return [...new Set([...requirements, ...named.map(pypiName)])];
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
