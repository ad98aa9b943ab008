import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { EcosystemAdapter } from "../ecosystem.ts";
import { cargo } from "./cargo.ts";
import { golang } from "./go.ts";
import { maven } from "./maven.ts";
import { npm } from "./npm.ts";

/** Every ecosystem that the factory understands. */
export const ecosystemAdapters: Readonly<Partial<Record<Ecosystem, EcosystemAdapter>>> = { cargo, golang, maven, npm };
