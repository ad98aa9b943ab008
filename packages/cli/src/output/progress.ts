import type { RunEvent, RunListener } from "@touchmark/pipeline";
import { oneLine, printable, type Terminal } from "../terminal.ts";
import { duration, size } from "./quantity.ts";

const REDRAW_MS = 100;
const frames = ["|", "/", "-", "\\"];

interface Running {
  readonly startedAt: number;
  lastLine: string;
  /** What a fetch step has brought so far. */
  fetched: string;
}

/** How many vulnerabilities there are of each class. */
function severityWords(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0
    ? "no known vulnerability"
    : `vulnerabilities: ${some.map(([name, count]) => `${count} ${name}`).join(", ")}`;
}

/** Shows a run while it goes: on a terminal one live line a step, elsewhere one line at each start and end. */
export function progressDisplay(terminal: Terminal): { readonly listener: RunListener; close(): void } {
  const { style } = terminal;
  const running = new Map<string, Running>();
  let drawn = 0;
  let frame = 0;
  const width = Math.max(40, terminal.columns);
  const timer = terminal.live ? setInterval(redraw, REDRAW_MS) : undefined;
  timer?.unref();

  function erase(): void {
    if (drawn > 0) terminal.draw(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  }

  function redraw(): void {
    erase();
    frame++;
    for (const [name, step] of running) {
      const head = `${frames[frame % frames.length]} ${name.padEnd(12)} ${duration(Date.now() - step.startedAt).padStart(7)}  `;
      const told = [step.fetched, oneLine(step.lastLine)].filter((text) => text !== "").join("  ");
      terminal.draw(`${head}${style.dim(told.slice(0, width - head.length - 1))}\n`);
      drawn++;
    }
  }

  function line(text: string): void {
    erase();
    terminal.note(text);
    if (terminal.live) redraw();
  }

  function listener(event: RunEvent): void {
    switch (event.type) {
      case "run-started":
        line(`${style.bold("run")} ${event.run}: ${event.pipeline} (${event.steps.join(", ")})`);
        break;
      case "source-fetched":
        line(
          `  ${style.good("ok")} ${"source".padEnd(12)} ${duration(event.durationMs).padStart(7)}  commit ${event.commit.slice(0, 12)}, ${event.files} files`,
        );
        break;
      case "step-started":
        running.set(event.step, { startedAt: Date.now(), lastLine: "", fetched: "" });
        if (event.unsealed)
          line(`  ${style.bad("!!")} ${event.step.padEnd(12)} no sandbox: it can read and reach whatever its user can`);
        else if (!terminal.live)
          line(`  .. ${event.step}${event.network === "fetch" ? "  through the recording proxy" : ""}`);
        break;
      case "materials": {
        const step = running.get(event.step);
        if (step !== undefined) step.fetched = `${event.packages} packages, ${size(event.bytes)}`;
        break;
      }
      case "step-output": {
        const step = running.get(event.step);
        const lines = Buffer.from(event.chunk)
          .toString("utf8")
          .split("\n")
          .filter((text) => text.trim() !== "");
        if (step !== undefined && lines.length > 0) step.lastLine = lines[lines.length - 1] ?? "";
        break;
      }
      case "step-finished": {
        running.delete(event.step);
        const mark = event.status === "succeeded" ? style.good("ok") : style.bad("no");
        const time = event.cached ? "cached" : duration(event.durationMs);
        const status = event.status === "succeeded" ? "" : `${event.status}  `;
        line(`  ${mark} ${event.step.padEnd(12)} ${time.padStart(7)}  ${status}${style.dim(oneLine(event.summary))}`);
        break;
      }
      case "artifact":
        line(`  ${style.good("=>")} ${event.name.padEnd(12)} ${size(event.bytes).padStart(7)}  ${event.digest}`);
        break;
      case "published": {
        const tags = event.tags.length === 0 ? "" : ` (${event.tags.join(", ")})`;
        line(`  ${style.good("=>")} ${event.artifact.padEnd(12)} ${"".padStart(7)}  ${event.reference}${tags}`);
        break;
      }
      case "reconciled":
        line(`     ${event.step.padEnd(12)} ${"".padStart(7)}  ${style.dim(oneLine(event.summary))}`);
        break;
      case "analysed": {
        const { artifact, components, findings, warnings } = event;
        const found = findings === undefined ? "vulnerabilities not evaluated" : severityWords(findings);
        const parts = `${components} component${components === 1 ? "" : "s"}, ${found}`;
        line(`     ${artifact.padEnd(12)} ${"".padStart(7)}  ${style.dim(oneLine(parts))}`);
        for (const warning of warnings) line(`  ${style.warn("!!")} ${printable(warning)}`);
        break;
      }
      case "note":
        line(`  ${style.warn("!!")} ${printable(event.text)}`);
        break;
      case "run-finished":
        erase();
        break;
    }
  }

  return {
    listener,
    close: () => {
      clearInterval(timer);
      erase();
    },
  };
}
