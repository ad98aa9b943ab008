import type { AdvisoryDatabase, SourceAge } from "@touchmark/advisories";
import { isFactoryError } from "@touchmark/core";
import { type Factory, openFactory } from "../factory.ts";
import { type AdvisoryChoice, openFactoryAdvisories } from "./advisory-place.ts";
import { type IgnoredVex, type KeptVex, keptVex } from "./kept-vex.ts";
import { readScanConfiguration, type ScanConfiguration } from "./scan-configuration.ts";

/** Rules and advisory data of the user's home; without a home there are none. */
export async function scanSettingsOfHome(choice: AdvisoryChoice = {}): Promise<{
  readonly configuration: ScanConfiguration;
  readonly kept: readonly KeptVex[];
  /** VEX documents that lie there and count for nothing. */
  readonly ignored: readonly IgnoredVex[];
  readonly database?: AdvisoryDatabase;
  readonly ages?: readonly SourceAge[];
}> {
  let factory: Factory;
  try {
    factory = await openFactory();
  } catch (error) {
    if (isFactoryError(error) && error.code === "STORE_HOME_MISSING")
      return { configuration: {}, kept: [], ignored: [] };
    throw error;
  }
  try {
    const configuration = readScanConfiguration(factory);
    const opened = await openFactoryAdvisories(factory, choice);
    const { kept, ignored } = await keptVex(factory);
    return {
      configuration,
      kept,
      ignored,
      ...(opened === undefined ? {} : { database: opened.database, ages: opened.ages }),
    };
  } finally {
    await factory.close();
  }
}
