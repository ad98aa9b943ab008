/** Everything that can make a trace incomplete, and what it means. A loss is spelled `CODE: detail`. */
export const lossMeanings = {
  TRACE_MISSING: "The tracer left no trace, or an empty one.",
  TRACE_LIMIT: "The trace passed its size limit, and the rest was thrown away.",
  LINE_CUT: "The trace ends within a line: the tracer was killed.",
  LINE_UNPARSED: "A line of the trace is not in the form that the tracer writes.",
  START_MISSING: "The step's own command was never seen to start.",
  CALL_UNFINISHED: "A call that changes names was under way when its process died; whether it took effect is unknown.",
  CALL_LOST: "The tracer took a call for the end of another one (an exec in a thread), and lost what it was about.",
  LISTENER_INSTALLED: "A process installed a seccomp listener of its own, which can let calls pass unseen.",
  PATH_UNKNOWN: "An opened file has no name: the descriptor could not be read.",
  NAME_UNRESOLVED: "A relative name could not be joined to a directory.",
  EXECUTABLE_UNKNOWN: "A program was started through a name that says nothing, such as /proc/self/fd/3.",
  PROCESS_UNBORN: "A process was traced whose start was not.",
  PROCESS_UNTRACED: "A process was made that the tracer did not follow.",
  PROCESS_UNENDED: "A process that started was not seen to end.",
  EXIT_MISMATCH: "The trace and the worker differ about how the step ended.",
  REFUSALS_UNRECORDED: "The sandbox refused calls in a way that neither it nor the tracer records.",
  OUTPUT_UNEXPLAINED: "A file of the output was made by no traced call.",
  RECORD_LIMIT: "There were more processes, files or network attempts than the observer records.",
  FILE_UNHASHED: "A file that was read could not be hashed, or changed while the step ran.",
} as const;

export type LossCode = keyof typeof lossMeanings;

/** Collects losses: each code keeps its first few details and a count. */
export class LossRecord {
  readonly #details = new Map<LossCode, { count: number; first: string[] }>();

  add(code: LossCode, detail: string): void {
    const row = this.#details.get(code) ?? { count: 0, first: [] };
    row.count++;
    if (row.first.length < 5) row.first.push(detail.length > 300 ? `${detail.slice(0, 300)}...` : detail);
    this.#details.set(code, row);
  }

  get complete(): boolean {
    return this.#details.size === 0;
  }

  list(): string[] {
    return [...this.#details].flatMap(([code, { count, first }]) => [
      ...first.map((detail) => `${code}: ${detail}`),
      ...(count > first.length ? [`${code}: and ${count - first.length} more`] : []),
    ]);
  }
}
