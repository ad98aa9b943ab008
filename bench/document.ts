import { type Figure, figureTable } from "./figure.ts";
import type { Machine } from "./machine.ts";
import type { Part } from "./parts.ts";

/** What became of one part. */
export interface Outcome {
  readonly part: Part;
  readonly figures: readonly Figure[];
  /** Why there are none. */
  readonly reason?: string;
  /** Peers that were not installed, so that nothing is compared with them. */
  readonly missing?: readonly string[];
}

/** One session on one machine. */
export interface Session {
  readonly machine: Machine;
  readonly at: Date;
  readonly seconds: number;
  readonly revision: string;
  readonly short: boolean;
  readonly outcomes: readonly Outcome[];
}

const sections: readonly (readonly [Part["group"], string, string])[] = [
  [
    "verify",
    "Verifying",
    `The same bundles, minted for the session, go to every verifier: a small one (4 KB), one about 1,000 artifacts, one with a predicate of 11 MB. Cold commands run in turn, A B C A B C, after a round that is not counted; times are medians of wall time, the ratio is the median of the ratios round by round, memory is the highest resident size. \`touchmark\` is \`bin/touchmark\` with the bundle that \`tools/build.ts\` makes in a clone, where verifying is compiled beforehand; the packed one is without that. In a clone the shim also looks for changed sources, which is not in these figures. cosign is told to ignore certificate logs and to count signed time-stamps, which these bundles need. sigstore-go is a small program around the library (\`bench/verify/sigstore-go\`), @sigstore/verify a script around the package, which does not compare the artifact. Verifications a second: one process, one thread, the trust root read once, 200 bundles each with its own key, certificate and log entry, each time from the bundle's bytes; there a ratio above 1 is in our favour.`,
  ],
  [
    "run",
    "Running",
    "What the factory adds to a step, with everything on: sandbox, complete observation, signature, time-stamp, durable log entry; and a run in which every step comes from the cache.",
  ],
  [
    "observer",
    "Sandbox and observation",
    "Each build bare, in the sandbox, and in the sandbox under observation with the trace read to its end, one after the other; medians. `true` is a step that does nothing, so its ratio says little and its difference is the fixed cost.",
  ],
  [
    "log",
    "Transparency log",
    "Entries of 1,000 bytes that are durable, integrated and published in a signed checkpoint before the caller is answered. The floor is what one append must do on this disk, with no log at all. Tessera's POSIX driver runs in the same session with the same number of writers. Ratios are of rates: above 1 is in our favour.",
  ],
  [
    "store",
    "Store",
    "What keeping content and trees takes, in milliseconds; `sha256sum` over the same files beside it.",
  ],
];

/** The page of results: every figure of it was measured in this session. */
export function sessionDocument(session: Session): string {
  const { machine, at } = session;
  const shortfalls = session.outcomes.flatMap(({ figures }) => figures.filter((figure) => figure.met === false));
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench`, which measures everything below in one session of at most twelve minutes. Repeat it on a",
    "quiet machine; the peers come with `bash bench/peers/install.sh` and `bash bench/peers/install.sh sigstore-go`. Times",
    "depend on the machine, so each is given beside a peer, a bare run or a floor of the same session: quote the ratios.",
    "",
    ...(session.short
      ? ["**This was a smoke run on a machine that may have been busy. Its figures mean nothing.**", ""]
      : []),
    `- Measured: ${at.toISOString().slice(0, 10)}, in ${Math.round(session.seconds)} s, at revision ${session.revision}`,
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}`,
    `- Node ${machine.node}; load before the start: ${machine.load}`,
    "",
    "## Where the aims are missed",
    "",
    ...(session.outcomes.every(({ figures }) => figures.length === 0)
      ? ["Nothing was measured in this session."]
      : shortfalls.length === 0
        ? ["None of the aims that were measured."]
        : shortfalls.map((figure) => `- ${sentenceOf(figure)}`)),
    "",
    ...sections.flatMap(([group, title, method]) => section(session, group, title, method)),
  ].join("\n");
}

function sentenceOf({ what, ours, against, ratio, aim }: Figure): string {
  const beside = against === undefined ? "" : `, ${against}`;
  return `${what}: ${ours}${beside}${ratio === undefined ? "" : ` (${ratio}×)`}; the aim is ${aim ?? "none"}.`;
}

function section(session: Session, group: Part["group"], title: string, method: string): string[] {
  const outcomes = session.outcomes.filter(({ part }) => part.group === group);
  const figures = outcomes.flatMap((outcome) => outcome.figures);
  const remarks = outcomes.flatMap(({ part, reason, missing }) => [
    ...(reason === undefined ? [] : [`Not measured: ${part.name}: ${reason}`]),
    ...(missing === undefined || missing.length === 0
      ? []
      : [`Not compared, because not installed: ${missing.join(", ")}`]),
  ]);
  return [
    `## ${title}`,
    "",
    method,
    "",
    ...(figures.length === 0 ? [] : [figureTable(figures), ""]),
    ...remarks.flatMap((remark) => [remark, ""]),
  ];
}
