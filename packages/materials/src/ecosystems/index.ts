import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { EcosystemAdapter } from "../ecosystem.ts";
import { golang } from "./go.ts";
import { maven } from "./maven.ts";

/** Every ecosystem that the factory understands. */
export const ecosystemAdapters: Readonly<Partial<Record<Ecosystem, EcosystemAdapter>>> = { golang, maven };
