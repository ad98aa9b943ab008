import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { foundFromLockfile } from "../lockfiles/found-from-lockfile.ts";
import { readCollectedLockfile } from "../lockfiles/read-lockfile.ts";
import { scanLoss } from "../scan-loss.ts";

const rule = "gradle-lockfile";
const lockfile = /(?:^|\/)(?:buildscript-)?gradle\.lockfile$/;
/** Before Gradle 7: one file for each configuration, named after it. */
const perConfiguration = /(?:^|\/)gradle\/dependency-locks\/([\w.-]+)\.lockfile$/;
const settings = /(?:^|\/)settings\.gradle(?:\.kts)?$/;

/** Lockfiles of Gradle, with the digests of gradle/verification-metadata.xml beside them. */
export const gradleLockfiles: Cataloger = {
  name: "gradle-lockfiles",
  wants: ({ path }) =>
    lockfile.test(path) ||
    perConfiguration.test(path) ||
    settings.test(path) ||
    /(?:^|\/)gradle\/verification-metadata\.xml$/.test(path),
  catalogue(files, context): Found {
    const components = new Map<string, FoundComponent>();
    const wanted = new Map<string, Set<string>>();
    const losses: ScanLoss[] = [];
    for (const file of files) {
      const configuration = perConfiguration.exec(file.path)?.[1];
      if (configuration === undefined && !lockfile.test(file.path)) continue;
      const read = readCollectedLockfile(oneForm(file, configuration), context, "gradle.lockfile");
      losses.push(...read.losses);
      if (read.lockfile === undefined) continue;
      const found = foundFromLockfile(read.lockfile, file, rule);
      const directory = directoryOf(file.path, configuration);
      try {
        const project = projectOf(file, directory, context);
        if (!components.has(project.key)) components.set(project.key, project);
        const to = wanted.get(project.key) ?? new Set<string>();
        for (const component of found.components) {
          const isBuild = file.name.startsWith("buildscript");
          components.set(component.key, isBuild ? { ...component, scope: "build" } : component);
          to.add(component.key);
        }
        wanted.set(project.key, to);
      } catch (error) {
        losses.push(scanLoss(file.path, error));
      }
    }
    return {
      components: [...components.values()],
      // A lockfile of Gradle says no edges: all that is known is that the project needs them.
      edges: [...wanted].map(([from, to]) => ({ from, to: [...to] })),
      roots: [...wanted.keys()],
      losses,
    };
  },
};

/** A lockfile of one configuration in the form of those of all. */
function oneForm(file: CollectedFile, configuration: string | undefined): CollectedFile {
  if (configuration === undefined) return file;
  return {
    path: file.path,
    name: file.name,
    size: file.size,
    mode: file.mode,
    bytes(limit) {
      const text = Buffer.from(file.bytes(limit)).toString("utf8");
      const lines = text.split("\n").map((line) => line.trim());
      return Buffer.from(lines.map((line) => (/^$|[#=]/.test(line) ? line : `${line}=${configuration}`)).join("\n"));
    },
    read: (offset, length) => file.read(offset, length),
    digest: () => file.digest(),
    hash: (algorithm) => file.hash(algorithm),
  };
}

function directoryOf(path: string, configuration: string | undefined): string {
  const inner = configuration === undefined ? "" : "gradle/dependency-locks/";
  return path.slice(0, path.lastIndexOf("/") + 1 - inner.length);
}

/** The project that locks: named by its settings, else by its folder. */
function projectOf(file: CollectedFile, directory: string, context: CatalogueContext): FoundComponent {
  const stated = ["settings.gradle", "settings.gradle.kts"]
    .map((name) => context.file(`${directory}${name}`))
    .flatMap((one) => (one === undefined ? [] : [Buffer.from(one.bytes(1024 * 1024)).toString("utf8")]))
    .flatMap((text) => /^[ \t]*rootProject\.name[ \t]*=[ \t]*["']([\w.-]{1,200})["']/m.exec(text)?.[1] ?? [])[0];
  const folder = directory.split("/").at(-2) ?? "";
  return {
    key: `${directory}#project`,
    kind: "application",
    name: stated ?? (folder === "" ? "gradle-project" : folder),
    version: "",
    type: "maven",
    scope: "runtime",
    occurrences: [{ path: file.path, rule, ...(file.layer !== undefined && { layer: file.layer }) }],
    properties: [
      { name: "touchmark:lockfile-format", value: "gradle-lockfile-1" },
      {
        name: "touchmark:lockfile-limit",
        value: "gradle.lockfile says no edges between packages, and not which are direct",
      },
    ],
  };
}
