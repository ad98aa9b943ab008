import type { StepJob } from "./job.ts";
import type { MountRow } from "./result.ts";
import { imageView, jobMounts, type RootView, rootPlaces } from "./root-view.ts";
import type { SandboxHost } from "./sandbox-host.ts";

/** What a step sees beside its inputs and its output: its image, or the host's programs and its toolchains (SPEC W4, W15). */
export function stepView(host: SandboxHost, job: StepJob, toolchains: readonly MountRow[]): RootView {
  if (job.rootfs !== undefined) {
    const skeleton = host.skeletons.make(host.views.image(job.network), rootPlaces(jobMounts(job)), {});
    return imageView(job.rootfs.directory, skeleton);
  }
  const rows = [...host.views.view(job.network, job.environment).rows, ...toolchains];
  if (host.runtime === null) return { image: null, skeleton: null, rows };
  const links = rows.flatMap((row) => (row.kind === "link" ? [[row.at.slice(1), row.source ?? ""] as const] : []));
  const shown = rows.flatMap(({ at, kind, source }) =>
    kind === "link" || source === null ? [] : [{ at, host: source }],
  );
  const skeleton = host.skeletons.make(null, rootPlaces([...shown, ...jobMounts(job)]), Object.fromEntries(links));
  return { image: null, skeleton, rows };
}
