import type { AdvisoryDatabase } from "@touchmark/advisories";
import type { Factory } from "../factory.ts";

/** The advisory data of a factory, opened by who asks first; one database for all of a run. */
export function lazyAdvisories(factory: Factory): {
  open: () => Promise<AdvisoryDatabase | undefined>;
  close: () => Promise<void>;
} {
  let opened: Promise<AdvisoryDatabase | undefined> | undefined;
  return {
    open: () => {
      opened ??= import("./advisory-place.ts").then(async ({ openFactoryAdvisories }) => {
        return (await openFactoryAdvisories(factory))?.database;
      });
      return opened;
    },
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}
