import { defineErrors } from "@touchmark/core";

/** Error codes of the worker package. A step that fails or passes a limit is a result, not an error. */
export const workerErrors = defineErrors({
  JOB_INVALID: {
    nature: "invalid",
    meaning: "A job asks for something that no sandbox may give: a path, a name, a variable or a limit out of bounds.",
  },
  JOB_INPUT_MISSING: {
    nature: "invalid",
    meaning: "An input or a toolchain of a job does not exist on this host or is neither directory nor regular file.",
  },
  JOB_OUTPUT_NOT_EMPTY: {
    nature: "invalid",
    meaning: "The output directory of a job is missing or already holds something.",
  },
  TOOLCHAIN_REFUSED: {
    nature: "refused",
    meaning: "A toolchain directory would show a home, a socket directory or the system's state to a step.",
    hint: "name the directory of the toolchain itself, for example /opt/toolchain or cargo",
  },
  SANDBOX_UNAVAILABLE: {
    nature: "unavailable",
    meaning: "This host cannot make a sandbox now; the message names what is missing.",
    hint: "run `touchmark doctor`",
  },
  SANDBOX_FAILED: {
    nature: "unavailable",
    meaning: "The sandbox of a step could not be set up, or its program ended without saying how.",
  },
  SANDBOX_SURVIVOR: {
    nature: "bug",
    meaning: "A process of a step was still alive after its sandbox had been killed.",
  },
  ARCHITECTURE_UNKNOWN: {
    nature: "unavailable",
    meaning: "No system-call filter exists for this processor architecture.",
  },
  WORKER_IMAGE_TOOLCHAINS: {
    nature: "refused",
    meaning: "A step has both an image and toolchains of the host, which would show the host's files in the image.",
    hint: "put the toolchain into the image, or leave `toolchains` out",
  },
  WORKER_IMAGE_MISSING: {
    nature: "invalid",
    meaning: "The directory of an unpacked image does not exist or is no directory.",
  },
  WORKER_IMAGE_PLACE: {
    nature: "refused",
    meaning:
      "An image has a link or a file where the sandbox mounts a directory, such as /tmp, /etc or an input's place.",
    hint: "mount the input elsewhere, or make the place a directory in the image",
  },
  WORKER_IMAGE_PROGRAM: {
    nature: "invalid",
    meaning: "The program of a step, or the interpreter or loader that runs it, is not in its image.",
  },
  WORKER_IMAGE_UNSUPPORTED: {
    nature: "refused",
    meaning: "The backend without a sandbox was given an image, which it cannot show.",
  },
  WORKER_RUNTIME_UNAVAILABLE: {
    nature: "unavailable",
    meaning: "The OCI runtime that was asked for is not here, or cannot make a container for this user on this host.",
    hint: "run `touchmark doctor`; the backend `bubblewrap` needs less of a host",
  },
  INSECURE_NOT_ASKED: {
    nature: "refused",
    meaning: "The backend without a sandbox was called for without being asked for by name.",
    hint: "declare `insecure-process: true` on the step; the provenance records it",
  },
});
