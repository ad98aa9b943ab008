import { exitCodes, isFactoryError } from "@touchmark/core";
import { commandTable, loadCommand } from "./commands.ts";
import { topHelp, version } from "./help.ts";
import { invoke } from "./invoke.ts";
import { printable, processTerminal, type Terminal } from "./terminal.ts";

/** As shells say it of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Runs one command line. Returns the exit code. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    terminal.print(topHelp(commandTable, terminal.style));
    return name === undefined ? 2 : 0;
  }
  if (name === "--version" || name === "-V") {
    terminal.print(version());
    return 0;
  }
  try {
    const words = name === "help" ? [...rest, "--help"] : [name, ...rest];
    return await invoke(await loadCommand(words), words, terminal);
  } catch (error) {
    // Ctrl-C ends a command anywhere: in the middle of a fetch, what fails then is the interruption.
    if (terminal.signal.aborted) {
      terminal.note(`${terminal.style.bad("cancelled")}: interrupted`);
      return INTERRUPTED;
    }
    return report(await ofTheSystem(error), argv.includes("--json"), terminal);
  }
}

/** What every program meets, wherever it writes: a full disk, a read-only or failing one, no more descriptors. */
const systemCodes = ["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ERR_SQLITE_ERROR"];

/** An error of the operating system that reached us bare, as the store says it; anything else as it is. */
async function ofTheSystem(error: unknown): Promise<unknown> {
  if (isFactoryError(error) || !systemCodes.includes((error as NodeJS.ErrnoException)?.code ?? "")) return error;
  const { asStoreError } = await import("@touchmark/store");
  return asStoreError(error, "running the command");
}

/** Shows an error once: what was expected, what was found, what to do. */
function report(error: unknown, json: boolean, terminal: Terminal): number {
  const { style } = terminal;
  if (!isFactoryError(error)) {
    terminal.note(`${style.bad("bug")} BUG: ${(error as Error)?.stack ?? String(error)}`);
    terminal.note("This is a defect of touchmark. Please report it with the lines above.");
    if (json) terminal.print(JSON.stringify({ verdict: "error", code: "BUG", nature: "bug", message: String(error) }));
    return exitCodes.bug;
  }
  if (json) {
    const { code, nature, message, hint } = error;
    const verdict = nature === "refused" ? "refused" : "error";
    terminal.print(JSON.stringify({ verdict, code, nature, message, ...(hint === undefined ? {} : { hint }) }));
    return exitCodes[error.nature];
  }
  terminal.note(`${style.bad(error.nature)} ${error.code}: ${printable(error.message)}`);
  if (error.hint !== undefined) terminal.note(`  ${style.dim("what to do:")} ${printable(error.hint)}`);
  return exitCodes[error.nature];
}

/** Entry point of the process: signals, exit code. */
export async function start(): Promise<void> {
  const controller = new AbortController();
  let interruptions = 0;
  const stop = (signal: NodeJS.Signals) => {
    interruptions++;
    // A second Ctrl-C means now: children die with us (--die-with-parent), and the next start reclaims the rest.
    if (interruptions > 1) process.exit(signal === "SIGINT" ? 130 : 143);
    controller.abort(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, stop);
  const lend = (): (() => void) => {
    // The interrupt key belongs to the program in the foreground; ending or hanging up ends us, and it with us.
    const ignore = () => undefined;
    const end = () => process.exit(143);
    for (const signal of signals) process.removeListener(signal, stop).on(signal, signal === "SIGINT" ? ignore : end);
    return () => {
      for (const signal of signals) process.removeListener(signal, ignore).removeListener(signal, end).on(signal, stop);
    };
  };
  process.exitCode = await main(process.argv.slice(2), processTerminal(controller.signal, lend));
  for (const signal of signals) process.removeListener(signal, stop);
}

if (import.meta.main) await start();
