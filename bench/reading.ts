import type { Figure } from "./figure.ts";

interface VerifyRow {
  readonly name: string;
  readonly medianMs: number;
  readonly peakMiB: number | null;
  /** Ours over theirs; absent on our own row. */
  readonly ratio: number;
}

interface RateRow {
  readonly name: string;
  readonly perSecond: number;
  readonly peakMiB?: number;
  readonly ratio: number;
}

type VerifyPrinted = Readonly<
  Record<"small" | "subjects" | "predicate" | "help", readonly [VerifyRow, ...VerifyRow[]]>
> & {
  readonly rate: readonly [RateRow, ...RateRow[]];
};

interface LogRow {
  readonly name: string;
  readonly perSecond: number;
  readonly p99Ms: number;
}

interface LogPrinted {
  readonly figures: readonly LogRow[];
  readonly peakMemoryMiB: number;
  readonly ratioToFloor: number | null;
  readonly ratioToTessera: Readonly<Record<"1" | "256", number | null>>;
}

interface ObserverPrinted {
  readonly rows: readonly {
    readonly workload: string;
    readonly bareMs: number;
    readonly sandboxMs: number;
    readonly observedMs: number;
    readonly sandboxRatio: number;
    readonly observedRatio: number;
    readonly complete?: boolean;
  }[];
}

interface StorePrinted {
  readonly files: number;
  readonly milliseconds: Readonly<Record<string, number>>;
}

interface RunPrinted {
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly "fixed cost of a step, ms": number;
  readonly "step against a bare shell": number;
  readonly "ten cached steps against empty node": number;
}

const milliseconds = (value: number): string => `${value} ms`;
const withMemory = (time: string, peakMiB: number | null | undefined): string =>
  peakMiB === null || peakMiB === undefined ? time : `${time}, ${peakMiB} MiB`;

/** Cold commands, verifications a second, help. */
export function readVerify(content: unknown): Figure[] {
  const printed = content as VerifyPrinted;
  const figures: Figure[] = [];
  const cold = [
    ["small", "verify a small bundle, cold", 1.5],
    ["subjects", "verify a bundle about 1,000 artifacts, cold", 1],
    ["predicate", "verify a bundle with an 11 MB predicate, cold", 1],
  ] as const;
  for (const [name, what, limit] of cold) {
    const [ours, ...others] = printed[name];
    for (const other of others) {
      const aim = other.name === "cosign" ? { aim: `at most ${limit}×`, met: other.ratio <= limit } : {};
      figures.push({
        what,
        ours: withMemory(milliseconds(ours.medianMs), ours.peakMiB),
        against: `${other.name}: ${withMemory(milliseconds(other.medianMs), other.peakMiB)}`,
        ratio: other.ratio,
        ...aim,
      });
    }
  }
  const [help, ...starts] = printed.help;
  for (const [i, other] of starts.entries()) {
    figures.push({
      what: "`--help`",
      ours: withMemory(milliseconds(help.medianMs), help.peakMiB),
      against: `${other.name}: ${milliseconds(other.medianMs)}`,
      ratio: other.ratio,
      ...(i === 0 ? { aim: "at most 40 ms", met: help.medianMs <= 40 } : {}),
    });
  }
  const [rate, ...rates] = printed.rate;
  const ours = withMemory(`${rate.perSecond}/s`, rate.peakMiB);
  figures.push({
    what: "verifications a second, one thread",
    ours,
    aim: "at least 2,000/s",
    met: rate.perSecond >= 2000,
  });
  for (const other of rates) {
    figures.push({
      what: "verifications a second, one thread",
      ours,
      against: `${other.name}: ${withMemory(`${other.perSecond}/s`, other.peakMiB)}`,
      ratio: other.ratio,
    });
  }
  return figures;
}

/** Durable, published entries a second. */
export function readLog(content: unknown): Figure[] {
  const printed = content as LogPrinted;
  const named = new Map(printed.figures.map((figure) => [figure.name, figure]));
  const shown = (figure: LogRow): string =>
    figure.p99Ms > 0 ? `${figure.perSecond}/s, p99 ${figure.p99Ms} ms` : `${figure.perSecond}/s`;
  const compared = (other: string, ratio: number | null): Partial<Figure> => {
    const against = named.get(other);
    return against === undefined || ratio === null ? {} : { against: `${other}: ${shown(against)}`, ratio };
  };
  const figures: Figure[] = [];
  for (const [name, figure] of named) {
    if (name.startsWith("Tessera") || name.startsWith("floor")) continue;
    const what = `log: ${name}`;
    const ours = shown(figure);
    if (name === "256 callers") {
      const met = figure.perSecond >= 5000 && figure.p99Ms <= 1000;
      const peer = compared("Tessera POSIX, 256 writers", printed.ratioToTessera["256"]);
      figures.push({ what, ours, ...peer, aim: "at least 5,000/s, p99 at most 1 s", met });
    } else if (name === "one caller") {
      const floor = compared("floor of one caller", printed.ratioToFloor);
      figures.push({ what, ours, ...floor, aim: "at least 300/s", met: figure.perSecond >= 300 });
      const peer = compared("Tessera POSIX, 1 writers", printed.ratioToTessera["1"]);
      if (peer.ratio !== undefined) figures.push({ what, ours, ...peer });
    } else figures.push({ what, ours });
  }
  figures.push({ what: "log: memory of all of it", ours: `${printed.peakMemoryMiB} MiB` });
  return figures;
}

/** Builds bare, in the sandbox, and observed. */
export function readObserver(content: unknown): Figure[] {
  const printed = content as ObserverPrinted;
  if (printed.rows.length === 0) throw new Error("there is no such workload yet");
  return printed.rows.flatMap((row): Figure[] => {
    const against = `bare: ${milliseconds(row.bareMs)}`;
    const isBuild = ["ts", "go", "c"].includes(row.workload);
    const what = `build \`${row.workload}\``;
    const completeness = row.complete === true ? "complete observation" : "INCOMPLETE observation";
    const limit = (ratio: number, most: number): Partial<Figure> =>
      isBuild ? { aim: `at most ${most.toFixed(2)}×`, met: ratio <= most } : {};
    const limits = {
      sandbox: limit(row.sandboxRatio, 1.03),
      observed: limit(row.complete === true ? row.observedRatio : Number.NaN, 1.1),
    };
    const sandbox = { ours: milliseconds(row.sandboxMs), against, ratio: row.sandboxRatio, ...limits.sandbox };
    const observed = { ours: milliseconds(row.observedMs), against, ratio: row.observedRatio, ...limits.observed };
    return [
      { what: `${what}, in the sandbox`, ...sandbox },
      { what: `${what}, in the sandbox with ${completeness}`, ...observed },
    ];
  });
}

/** The store, in milliseconds. */
export function readStore(content: unknown): Figure[] {
  const printed = content as StorePrinted;
  return Object.entries(printed.milliseconds).map(([what, value]) => ({
    what: `store, ${printed.files} files: ${what}`,
    ours: milliseconds(value),
  }));
}

/** Whole runs, and what a step of one costs. */
export function readRun(content: unknown): Figure[] {
  const printed = content as RunPrinted;
  const named = printed.milliseconds;
  const of = (name: string): number => {
    const value = named[name];
    if (value === undefined) throw new Error(`expected a time of ${JSON.stringify(name)}`);
    return value;
  };
  const step = printed["fixed cost of a step, ms"];
  const cached = of("run of 10 cached steps");
  const node = `empty Node: ${milliseconds(of("empty node"))}`;
  return [
    {
      what: "fixed cost of a step: sandboxed, observed, signed, logged",
      ours: milliseconds(step),
      against: `a bare shell: ${milliseconds(round(of("ten bare shells") / 10))}`,
      ratio: printed["step against a bare shell"],
      aim: "at most 60 ms",
      met: step <= 60,
    },
    {
      what: "run of ten cached steps",
      ours: milliseconds(cached),
      against: node,
      ratio: printed["ten cached steps against empty node"],
      aim: "at most 300 ms",
      met: cached <= 300,
    },
    ...["run of 1 step", "run of 11 steps", "verify the chain"].map((what) => ({
      what,
      ours: milliseconds(of(what)),
      against: node,
      ratio: round(of(what) / of("empty node")),
    })),
  ];
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
