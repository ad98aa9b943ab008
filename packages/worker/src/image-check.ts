import { lstatSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { workerErrors } from "./errors.ts";
import type { StepJob, StepRootfs } from "./job.ts";
import { jobMounts, rootPlaces, sandboxPlaces } from "./root-view.ts";

/** Variables that say who and where a step is; an image has no say in them (SPEC W15). */
const ours = ["SOURCE_DATE_EPOCH", "TOUCHMARK_OUTPUT"];

/** Refuses a root file system that no step may have, by name (SPEC W15). Looks at the image, changes nothing. */
export function checkRootfs(job: StepJob, rootfs: StepRootfs): void {
  const { directory, environment = {} } = rootfs;
  if (job.view.toolchains.length > 0) {
    throw workerErrors.make(
      "WORKER_IMAGE_TOOLCHAINS",
      `expected an image or toolchains of the host, found both: ${job.view.toolchains.join(", ")}`,
    );
  }
  for (const [name, value] of Object.entries(environment)) {
    if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,200}$/.test(name) || value.includes("\0") || ours.includes(name)) {
      throw workerErrors.make(
        "JOB_INVALID",
        `expected a variable that an image may set, found ${JSON.stringify(name.slice(0, 100))}`,
      );
    }
  }
  if (
    !directory.startsWith("/") ||
    !lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() ||
    realpathSync(directory) === "/"
  ) {
    throw workerErrors.make("WORKER_IMAGE_MISSING", `expected the directory of an unpacked image at ${directory}`);
  }
  for (const place of sandboxPlaces) checkWay(directory, place, false);
  for (const { name, file } of rootPlaces(jobMounts(job))) {
    if (!name.startsWith("run/") && !name.startsWith("etc/")) checkWay(directory, name, file);
  }
}

/**
 * Each directory on the way to a mount must be one in the image too, or nothing. The layer of ours above the image
 * would hide a link; an image that has one there was made to be followed, or needs what we do not show.
 */
function checkWay(directory: string, name: string, file: boolean): void {
  const steps = name.split("/");
  let at = directory;
  for (const [index, step] of steps.entries()) {
    at = join(at, step);
    const entry = lstatSync(at, { throwIfNoEntry: false });
    if (entry === undefined) return;
    const wantsFile = file && index === steps.length - 1;
    if (wantsFile ? entry.isFile() : entry.isDirectory()) continue;
    const found = entry.isSymbolicLink()
      ? "a symbolic link"
      : entry.isFile()
        ? "a file"
        : entry.isDirectory()
          ? "a directory"
          : "a special file";
    throw workerErrors.make(
      "WORKER_IMAGE_PLACE",
      `expected ${wantsFile ? "a file" : "a directory"} or nothing at /${steps.slice(0, index + 1).join("/")} of the image, found ${found}`,
    );
  }
}
