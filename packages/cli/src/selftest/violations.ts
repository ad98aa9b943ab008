import type { Bench, PlainPipeline } from "./bench.ts";
import type { Attempt, Experiment } from "./experiment.ts";

/** Puts a script before what a step does; when it fails, so does the step. */
function before(step: PlainPipeline, script: string): void {
  const { run, command } = step;
  if (typeof run === "string") step["run"] = `${script}\n${run}`;
  else if (Array.isArray(command)) {
    step["command"] = ["/bin/sh", "-c", `${script}\nexec "$@"`, "sh", ...(command as readonly string[])];
  }
}

const noVictim = ({ victim }: Bench): string | undefined =>
  victim === undefined ? "no step without network runs on the host's files" : undefined;
const noFetcher = ({ fetcher }: Bench): string | undefined =>
  fetcher === undefined ? "no step fetches anything" : undefined;

/** Runs the changed pipeline; whether something was released is asked of the factory, not of the command. */
async function runChanged(
  bench: Bench,
  change: (step: PlainPipeline, pipeline: PlainPipeline) => void,
  step: string | undefined,
): Promise<Attempt> {
  const released = await bench.releases();
  const restore = bench.plant(change, step);
  try {
    const { exitCode, words } = await bench.tell(["run", bench.pipeline, "--jobs", "1"]);
    return { exitCode, words, passed: (await bench.releases()) > released };
  } finally {
    restore();
  }
}

/** A script that only a sandbox with a hole lets end well. */
function scripted(
  row: Pick<Experiment, "id" | "control" | "attempt" | "practices">,
  script: (bench: Bench) => string,
  where: "victim" | "fetcher" = "victim",
): Experiment {
  return {
    ...row,
    kind: "violation",
    skip: where === "victim" ? noVictim : noFetcher,
    attack: (bench) => runChanged(bench, (step) => before(step, script(bench)), bench[where]),
  };
}

/** Violations planted in the user's own pipeline. */
export const violations: readonly Experiment[] = [
  scripted(
    {
      id: "network",
      control: "steps have no network",
      attempt: "a step without network connects to a server of the host",
      practices: ["RA-ADM-09", "minimize-network-connectivity"],
    },
    ({ server }) =>
      `perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => "${server}", Timeout => 5) or exit 1' || exit 1`,
  ),
  scripted(
    {
      id: "host-file",
      control: "steps see no file of the host's users",
      attempt: "a step reads a file of the user who runs the factory",
      practices: ["isolate-orchestrator-from-workers"],
    },
    ({ canary }) => `test -r '${canary.path}' || exit 1`,
  ),
  scripted(
    {
      id: "host-variable",
      control: "steps get no variable of the caller",
      attempt: "a step reads a secret of the caller's environment",
      practices: ["isolate-orchestrator-from-workers"],
    },
    ({ canary }) => `test -n "$${canary.variable}" || exit 1`,
  ),
  scripted(
    {
      id: "system-file",
      control: "what a step sees is read-only but for its output",
      attempt: "a step changes a program of the system",
      practices: ["harden-build-worker-images"],
    },
    () => "echo '#' >> /usr/bin/env || exit 1",
  ),
  scripted(
    {
      id: "privilege",
      control: "steps get no further privilege",
      attempt: "a step mounts a file system",
      practices: ["harden-build-worker-images"],
    },
    () => "mount -t tmpfs none /mnt || exit 1",
  ),
  scripted(
    {
      id: "foreign-host",
      control: "only trusted repositories are reached, through the recording proxy",
      attempt: "a fetch step asks a host that no rule names",
      practices: ["define-trusted-package-repositories"],
    },
    ({ server }) =>
      `perl -MHTTP::Tiny -e 'exit(HTTP::Tiny->new(timeout => 10)->get("http://${server}/tool")->{success} ? 0 : 1)' || exit 1`,
    "fetcher",
  ),
  {
    id: "unsealed",
    kind: "violation",
    control: "no step runs outside a sandbox unless the caller allows it",
    attempt: "the pipeline declares a step as plain process of the host",
    practices: ["RA-POL-02"],
    skip: noVictim,
    attack: (bench) =>
      runChanged(
        bench,
        (step) => {
          step["insecure-process"] = true;
        },
        bench.victim,
      ),
  },
  {
    id: "unknown-key",
    kind: "violation",
    control: "definitions are read strictly",
    attempt: "the pipeline has a key that no release knows",
    practices: ["modify-pipelines-only-as-code"],
    attack: (bench) =>
      runChanged(
        bench,
        (_step, pipeline) => {
          pipeline["disable-policy"] = true;
        },
        undefined,
      ),
  },
  {
    id: "missing-artifact",
    kind: "violation",
    control: "only declared outputs that are there are released",
    attempt: "the pipeline releases a file that its step does not make",
    practices: ["RA-POL-02"],
    attack: (bench) =>
      runChanged(
        bench,
        (_step, file) => {
          const pipelines = file["pipelines"] as { readonly [name: string]: PlainPipeline };
          const artifacts = (pipelines[bench.pipeline]?.["artifacts"] ?? {}) as {
            readonly [name: string]: PlainPipeline;
          };
          for (const artifact of Object.values(artifacts)) artifact["path"] = "selftest/absent";
        },
        undefined,
      ),
  },
];
