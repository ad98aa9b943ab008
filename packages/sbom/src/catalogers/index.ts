import type { Cataloger } from "../catalogue/cataloger.ts";
import { apk } from "./apk/apk.ts";
import { goBinaries } from "./binaries/go-binaries.ts";
import { rustBinaries } from "./binaries/rust-binaries.ts";
import { wellKnownBinaries } from "./binaries/well-known-binaries.ts";
import { distribution } from "./distribution/distribution.ts";
import { dotnet } from "./dotnet/dotnet.ts";
import { chisel } from "./dpkg/chisel.ts";
import { dpkg } from "./dpkg/dpkg.ts";
import { goModules } from "./go/go-modules.ts";
import { javaArchives } from "./java/archives.ts";
import { gradleLockfiles } from "./java/gradle.ts";
import { mavenProjects } from "./java/maven-projects.ts";
import { javascript } from "./javascript/javascript.ts";
import { composerLock } from "./php/composer.ts";
import { installedComposerPackages } from "./php/installed-packages.ts";
import { python } from "./python/python.ts";
import { rpmContainerManifest } from "./rpm/container-manifest.ts";
import { rpm } from "./rpm/rpm.ts";
import { bundler } from "./ruby/bundler.ts";
import { installedGems } from "./ruby/installed-gems.ts";
import { cargo } from "./rust/cargo.ts";

/** Every cataloger, one row each; the order is the order of rules where two say different things of one component. */
const rows: readonly Cataloger[] = [
  // Distributions and their packages.
  distribution,
  dpkg,
  chisel,
  apk,
  rpm,
  rpmContainerManifest,
  // Programming languages.
  javascript,
  python,
  goModules,
  cargo,
  mavenProjects,
  gradleLockfiles,
  javaArchives,
  bundler,
  installedGems,
  composerLock,
  installedComposerPackages,
  dotnet,
  // Binaries.
  goBinaries,
  rustBinaries,
  wellKnownBinaries,
];

/** All catalogers of this package. They stand here by name; nothing registers itself. */
export function allCatalogers(): readonly Cataloger[] {
  return rows;
}
