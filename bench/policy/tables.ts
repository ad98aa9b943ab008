/** One program of the session, and the tables that its figures become. */
export interface Part {
  readonly name: string;
  /** Relative to the directory of all benchmarks. */
  readonly script: string;
  readonly words: readonly string[];
  readonly table: (printed: unknown) => string;
}

interface Cached {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface AdmissionFigures {
  readonly startMs: number;
  readonly cold: { readonly images: number; readonly p50Ms: number; readonly p99Ms: number };
  readonly oneContainer: { readonly requests: number; readonly ms: number };
  readonly eightContainersOfOneImage: { readonly requests: number; readonly ms: number };
  readonly cachedOneConnection: Cached;
  readonly cachedEightConnections: Cached;
  readonly cachedSixtyFourConnections: Cached;
  readonly insideMeanMs: number;
  readonly processorMsEach: number;
  readonly residentMiBBefore: number;
  readonly residentMiBAfter: number;
}

interface DecisionFigures {
  readonly decisions: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly heapGrowthMiB: number;
}

interface CommandFigures {
  readonly rows: readonly {
    readonly name: string;
    readonly ms: number;
    readonly overNode: number;
    readonly peakMiB: number | null;
  }[];
  readonly serviceStartMs: number;
}

interface CelFigures {
  readonly rows: readonly {
    readonly what: string;
    readonly name: string;
    readonly perSecond: number;
    readonly oursFaster: number;
  }[];
  readonly opaMicroseconds: number | null;
  readonly missing: readonly string[];
}

interface RunFigures {
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly "fixed cost of a step, ms": number;
}

/** A Markdown table. */
function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const amount = (value: number): string => value.toLocaleString("en-US");
const verdict = (isMet: boolean): string => (isMet ? "met" : "**missed**");

function admissionTable(printed: unknown): string {
  const figures = printed as AdmissionFigures;
  const { cold, oneContainer: one, eightContainersOfOneImage: eight, cachedEightConnections: busy } = figures;
  const alone = figures.cachedOneConnection;
  const crowded = figures.cachedSixtyFourConnections;
  const latency = ({ p50Ms, p99Ms, maxMs }: Cached): string => `p50 ${p50Ms} ms, p99 ${p99Ms} ms, most ${maxMs} ms`;
  const growth = figures.residentMiBAfter - figures.residentMiBBefore;
  const flat = `${figures.residentMiBBefore} MiB before, ${figures.residentMiBAfter} MiB after (${growth})`;
  return tableOf(
    ["Admission over HTTPS", "Figure", "Aim", "Verdict"],
    [
      ["cached, one connection", latency(alone), "p99 below 10 ms", verdict(alone.p99Ms < 10)],
      ["cached, eight connections", latency(busy), "p99 below 10 ms", verdict(busy.p99Ms < 10)],
      ["the same, answers a second", amount(busy.perSecond), "at least 1,000", verdict(busy.perSecond >= 1000)],
      ["cached, 64 connections", `${latency(crowded)}; ${amount(crowded.perSecond)} a second`, "", ""],
      ["inside the service, eight connections, mean", `${figures.insideMeanMs} ms`, "", ""],
      ["processor time of the service for an answer", `${figures.processorMsEach} ms`, "", ""],
      [
        `cold, ${cold.images} images, one after the other`,
        `p50 ${cold.p50Ms} ms, p99 ${cold.p99Ms} ms`,
        "below 150 ms",
        verdict(cold.p99Ms < 150),
      ],
      [
        "a pod of eight containers of one strange image",
        `${eight.requests} requests of the registry, ${eight.ms} ms`,
        `${one.requests} requests, as for one container`,
        verdict(eight.requests === one.requests),
      ],
      [`resident, ${amount(busy.requests)} requests`, flat, "", ""],
      ["service, until it listens", `${figures.startMs} ms`, "", ""],
    ],
  );
}

function decisionTable(printed: unknown): string {
  const { decisions, perSecond, p50Ms, p99Ms, heapGrowthMiB } = printed as DecisionFigures;
  return tableOf(
    ["The decision alone, in process, evidence at hand", "Figure"],
    [
      ["decisions a second of processor time", amount(perSecond)],
      ["wall time", `p50 ${p50Ms} ms, p99 ${p99Ms} ms`],
      [`heap after ${amount(decisions)} decisions, collected`, `${heapGrowthMiB} MiB more`],
    ],
  );
}

function commandTable(printed: unknown): string {
  const { rows, serviceStartMs } = printed as CommandFigures;
  return tableOf(
    ["Whole commands", "Time", "Over an empty Node", "Memory at most"],
    [
      ...rows.map(({ name, ms, overNode, peakMiB }) => [
        ...[name, `${ms} ms`, `${overNode}×`],
        peakMiB === null ? "" : `${peakMiB} MiB`,
      ]),
      ["touchmark admission serve, until it listens", `${serviceStartMs} ms`, "", ""],
    ],
  );
}

function celTable(printed: unknown): string {
  const { rows, opaMicroseconds, missing } = printed as CelFigures;
  const own = rows.find(({ what, name }) => what === "provenance rule" && name === "touchmark");
  const opa =
    opaMicroseconds === null || own === undefined
      ? []
      : [
          [
            ...["provenance rule", "OPA, prepared", amount(Math.round(1e6 / opaMicroseconds))],
            `${((own.perSecond * opaMicroseconds) / 1e6).toFixed(1)}×`,
          ],
        ];
  const table = tableOf(
    ["Expression", "Evaluator", "A second", "Ours is faster by"],
    [...rows.map(({ what, name, perSecond, oursFaster }) => [what, name, amount(perSecond), `${oursFaster}×`]), ...opa],
  );
  return missing.length === 0 ? table : `${table}\n\nNot installed: ${missing.join(", ")}.`;
}

function runTable(printed: unknown): string {
  const { milliseconds, ...rest } = printed as RunFigures;
  const wanted = ["empty node", "run of 1 step", "run of 11 steps", "run of 10 cached steps", "verify the chain"];
  return tableOf(
    ["What the gates are part of", "Time"],
    [
      ...wanted.map((name) => [name, `${milliseconds[name]} ms`]),
      ["fixed cost of a step", `${rest["fixed cost of a step, ms"]} ms`],
    ],
  );
}

/** Every part, in the order of the page. */
export const parts: readonly Part[] = [
  { name: "admission", script: "policy/admission.ts", words: [], table: admissionTable },
  { name: "decisions", script: "policy/decisions.ts", words: [], table: decisionTable },
  { name: "commands", script: "policy/commands.ts", words: [], table: commandTable },
  { name: "cel", script: "policy/cel.ts", words: [], table: celTable },
  { name: "run", script: "run/steps.ts", words: [], table: runTable },
];
