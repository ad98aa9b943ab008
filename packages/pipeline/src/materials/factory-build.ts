import { readFile } from "node:fs/promises";
import { isFactoryError } from "@touchmark/core";
import type { Material } from "@touchmark/formats/predicates";
import type { FactoryBuild } from "@touchmark/materials";
import { EVIDENCE_ENDING } from "../evidence/package-evidence.ts";
import type { Factory } from "../factory.ts";
import { materialsConfigurationPath } from "./user-configuration.ts";

/** What a package is made of, by the provenance of the factory that built it; or why that cannot be said now. */
export type BuiltOf = { readonly build: FactoryBuild } | { readonly unknown: string };

/**
 * Reads the provenance that came with a package again, verified anew against what the user trusts today. Undefined when
 * none came with it.
 */
export async function factoryBuildOf(factory: Factory, material: Material): Promise<BuiltOf | undefined> {
  const isVouchedFor = material.evidence?.some(
    ({ kind, outcome }) => kind === "touchmark-provenance" && outcome === "verified",
  );
  if (isVouchedFor !== true) return undefined;
  try {
    return await readBuild(factory, material);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return { unknown: `${error.code}: ${error.message}` };
  }
}

/** @throws MATERIALS_CONFIG_* | UPSTREAM_* | MIRROR_* */
async function readBuild(factory: Factory, material: Material): Promise<BuiltOf> {
  const {
    openMirror,
    readEvidenceTrust,
    readFactoryBuild,
    readFactoryEvidence,
    readMaterialsConfiguration,
    recordKey,
  } = await import("@touchmark/materials");
  const configuration = await readMaterialsConfiguration(materialsConfigurationPath(factory));
  const trust = readEvidenceTrust(configuration.trust)["touchmark-provenance"];
  if (trust === undefined) return { unknown: "no factory is trusted any more" };
  const { content, clock, home } = factory;
  const mirror = await openMirror({ directory: home.paths.materials, content, clock });
  try {
    const beside = new URL(material.url);
    beside.pathname += EVIDENCE_ENDING;
    const record = await mirror.find(recordKey("GET", beside, {}));
    if (record?.status !== 200) return { unknown: "the mirror holds no file of evidence beside it" };
    const bundles = readFactoryEvidence(await readFile(await mirror.body(record)));
    const digest = material.digest.replace(/^sha256:/, "");
    const build = readFactoryBuild(bundles, digest, trust, material.purl, clock.now());
    return build === undefined ? { unknown: "its evidence is about other files" } : { build };
  } finally {
    await mirror.close();
  }
}
