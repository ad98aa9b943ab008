import type { TreeCollector } from "./collector.ts";

/** Opens the archives that were collected, and those in them, down to the limit. */
export async function expandArchives(_collector: TreeCollector): Promise<void> {}
