import type { PipelineFile } from "@touchmark/formats/pipeline";
import type { Factory } from "../factory.ts";
import type { RunRequest } from "../run.ts";
import type { MaterialsRequest, RunMaterials } from "./run-materials.ts";

/** What fetch steps share, opened by the first of them. */
export function lazyMaterials(
  factory: Factory,
  request: RunRequest,
  project: PipelineFile,
  advisories: MaterialsRequest["advisories"],
): { open: () => Promise<RunMaterials>; close: () => Promise<void> } {
  let opened: Promise<RunMaterials> | undefined;
  return {
    open: () => {
      opened ??= import("./run-materials.ts").then(({ openRunMaterials }) =>
        openRunMaterials(factory, {
          environment: request.environment,
          offline: request.offline === true,
          trusted: request.trusted !== false,
          project: project.materials,
          advisories,
          note: (text) => request.listener({ type: "note", text }),
        }),
      );
      return opened;
    },
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}
