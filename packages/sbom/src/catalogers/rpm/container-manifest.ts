import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CollectedFile, Found } from "../../catalogue/cataloger.ts";
import { distributionOf } from "../distribution/distribution.ts";
import { foundInEach } from "../each-file.ts";
import { malformed } from "./header.ts";
import { mostHeaders } from "./page-file.ts";
import { type InstalledRpm, rpmComponent } from "./rpm-component.ts";
import { type RpmPackage, sourceOf } from "./rpm-package.ts";

const place = /^(|.*\/)var\/lib\/rpmmanifest\/container-manifest-2$/;
const largest = 64 * 1024 * 1024;
const word = /^[^\s\u0000-\u001f\u007f]{1,512}$/;

/** Packages of images that were made without rpm's database, and have a list in its place (Azure Linux, distroless). */
export const rpmContainerManifest: Cataloger = {
  name: "rpm-container-manifest",
  wants: ({ name, path }) => name === "container-manifest-2" && place.test(path),
  catalogue: (files, context) =>
    foundInEach(files, (file) => {
      const root = place.exec(file.path)?.[1] ?? "";
      const distribution = root === "" ? context.distribution : distributionOf(context, root);
      const { installed, losses } = readManifest(file);
      const components = installed.map((one) => rpmComponent(root, one, file, "rpm-container-manifest", distribution));
      // The list says nothing of what needs what.
      return { components, edges: [], roots: components.map(({ key }) => key), losses } satisfies Found;
    }),
};

function readManifest(file: CollectedFile): { installed: readonly InstalledRpm[]; losses: readonly ScanLoss[] } {
  const installed: InstalledRpm[] = [];
  let wrong = 0;
  for (const line of Buffer.from(file.bytes(largest)).toString("utf8").split("\n")) {
    if (line === "") continue;
    if (installed.length >= mostHeaders) throw malformed(`expected at most ${mostHeaders} packages`);
    const one = packageOn(line);
    if (one === undefined) wrong++;
    else if (one.name !== "gpg-pubkey") installed.push({ key: `${file.path}#${installed.length}`, package: one });
  }
  const { code, message } = malformed(`expected a package on each line, found ${wrong} others`);
  return { installed, losses: wrong === 0 ? [] : [{ path: file.path, code, message }] };
}

/** Name, version with release, times of installation and build, vendor, epoch, size, architecture, epoch, source. */
function packageOn(line: string): RpmPackage | undefined {
  const [name = "", version = "", , , vendor = "(none)", , , architecture = "", epochText = "0", source = ""] =
    line.split("\t");
  if (!word.test(name) || !word.test(version) || !word.test(architecture) || !/^\d{1,9}$/.test(epochText))
    return undefined;
  const epoch = epochText === "0" ? undefined : Number(epochText);
  const built = sourceOf(source.trim().slice(0, 512), version, epoch);
  return {
    name,
    version,
    architecture,
    ...(epoch !== undefined && { epoch }),
    ...(vendor !== "(none)" && vendor !== "" && { vendor: vendor.slice(0, 500) }),
    ...(built !== undefined && { source: built }),
    files: [],
    provides: [],
    requires: [],
  };
}
