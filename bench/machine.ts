import { cpus, loadavg, release, totalmem } from "node:os";

/** Where figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Mean number of running processes in the last minute, before anything was measured. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/** True when only a smoke run is wanted (`BENCH_SHORT=1`): its figures say that everything works, and nothing else. */
export const isShort: boolean = process.env["BENCH_SHORT"] === "1";
