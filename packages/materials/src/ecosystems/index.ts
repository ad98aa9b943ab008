import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { EcosystemAdapter } from "../ecosystem.ts";
import { cargo } from "./cargo.ts";
import { deb } from "./deb.ts";
import { generic } from "./generic.ts";
import { git } from "./git.ts";
import { golang } from "./go.ts";
import { maven } from "./maven.ts";
import { npm } from "./npm.ts";
import { pypi } from "./pypi.ts";

/** Every ecosystem that the factory understands. */
export const ecosystemAdapters: Readonly<Record<Ecosystem, EcosystemAdapter>> = {
  cargo,
  deb,
  generic,
  git,
  golang,
  maven,
  npm,
  pypi,
};
