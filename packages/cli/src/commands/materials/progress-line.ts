import { size } from "../../output/quantity.ts";
import type { Terminal } from "../../terminal.ts";

const REDRAW_MS = 100;
const LINE_MS = 10_000;

/** Shows how far a long work is: one live line on a terminal, elsewhere a line every ten seconds. */
export function progressLine(
  terminal: Terminal,
  verb: string,
): { readonly tick: (done: number, total: number, bytes: number) => void; readonly close: () => void } {
  // A screen shows at once that something goes on.
  let last = terminal.live ? Number.NEGATIVE_INFINITY : performance.now();
  let drawn = false;
  return {
    tick: (done, total, bytes) => {
      const now = performance.now();
      if (now - last < (terminal.live ? REDRAW_MS : LINE_MS)) return;
      last = now;
      const line = `${verb} ${done} of ${total}, ${size(bytes)}`;
      if (terminal.live) terminal.draw(`\r\u001b[K${line.slice(0, terminal.columns - 1)}`);
      else terminal.note(line);
      drawn = true;
    },
    close: () => {
      if (drawn && terminal.live) terminal.draw("\r\u001b[K");
    },
  };
}
