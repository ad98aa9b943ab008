import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { SealedFile } from "@touchmark/pipeline/admission";
import { cliErrors } from "../errors.ts";
import type { Terminal } from "../terminal.ts";

/** A command whose program, or named files, were sealed and can be judged. */
export interface SealedCommand {
  /** What must be admitted: path as it was named, and the sealed bytes. */
  readonly sealed: readonly { readonly path: string; readonly file: SealedFile }[];
  /** Executes exactly the sealed bytes. Does not return where this process becomes the program. */
  execute(): Promise<number>;
  close(): void;
}

/** What to execute, and what of it must be admitted. */
export interface HostCommand {
  readonly words: readonly string[];
  /** Files that must be admitted instead of the program; words that are these paths become the sealed bytes. */
  readonly files: readonly string[];
  /** Where sealed copies lie, without a name. */
  readonly directory: string;
}

/** First descriptor that a child inherits beside the three of every program. */
const FIRST = 3;

/** Seals the program, or the named files, of a command. SPEC H1-H3. @throws CLI_USAGE | HOST_GATE_* */
export async function sealCommand(terminal: Terminal, command: HostCommand): Promise<SealedCommand> {
  const { isExecutable, sealFile } = await import("@touchmark/pipeline/admission");
  const [program, ...words] = command.words;
  if (program === undefined) throw cliErrors.make("CLI_USAGE", "expected a command after --exec --, found none");
  const path = programPath(terminal, program);
  const named = command.files.length === 0 ? [path] : command.files.map((each) => resolve(terminal.directory, each));
  const sealed: { path: string; file: SealedFile }[] = [];
  const close = (): void => {
    for (const { file } of sealed.splice(0)) file.close();
  };
  try {
    for (const each of named) sealed.push({ path: each, file: sealFile(each, command.directory) });
    const [own] = sealed;
    // Taking this process's place with anything else would end it without a word, or have a shell guess at it.
    if (command.files.length === 0 && own?.file.form === "other") {
      const hint = "After --exec -- stands the command alone; a file that it reads is named by --file.";
      throw cliErrors.make("CLI_USAGE", `expected a program or a script, found ${program}`, { hint });
    }
    if (command.files.length === 0 && own !== undefined && !isExecutable(own.file)) {
      const { homeAdmissionErrors } = await import("@touchmark/pipeline/admission");
      throw homeAdmissionErrors.make("HOST_GATE_UNSUPPORTED", `${command.directory} does not allow execution`);
    }
    return { sealed, close, execute: () => execute(terminal, { program, path, words, files: command.files, sealed }) };
  } catch (error) {
    close();
    throw error;
  }
}

interface Ready {
  readonly program: string;
  readonly path: string;
  readonly words: readonly string[];
  readonly files: readonly string[];
  readonly sealed: readonly { readonly path: string; readonly file: SealedFile }[];
}

async function execute(terminal: Terminal, ready: Ready): Promise<number> {
  const { program, path, words, files, sealed } = ready;
  const environment = Object.fromEntries(
    Object.entries(terminal.environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const [own] = sealed;
  const isOwn = files.length === 0;
  if (isOwn && own !== undefined && own.file.form === "program" && typeof process.execve === "function") {
    process.chdir(terminal.directory);
    process.execve(`/proc/self/fd/${own.file.descriptor}`, [program, ...words], environment);
  }
  // A script is read by its interpreter, and named files by the program: both inherit the descriptors.
  const places = new Map(sealed.map(({ path: from }, i) => [from, `/proc/self/fd/${FIRST + i}`]));
  const replaced = words.map((word) => (isOwn ? word : (places.get(resolve(terminal.directory, word)) ?? word)));
  const child = spawn(isOwn ? `/proc/self/fd/${FIRST}` : path, replaced, {
    cwd: terminal.directory,
    env: environment,
    argv0: program,
    stdio: ["inherit", "inherit", "inherit", ...sealed.map(({ file }) => file.descriptor)],
  });
  // A terminal sends the interrupt key to the program as well; every other signal, and our end, is handed on.
  const pass = (): void => {
    const { reason } = terminal.signal as { readonly reason: unknown };
    if (reason !== "SIGINT" || !terminal.stdin.isTTY)
      child.kill(typeof reason === "string" ? (reason as NodeJS.Signals) : "SIGTERM");
  };
  const end = (): void => void child.kill("SIGKILL");
  terminal.signal.addEventListener("abort", pass, { once: true });
  process.once("exit", end);
  try {
    return await new Promise<number>((done, fail) => {
      child.once("error", fail);
      child.once("exit", (code, signal) => done(code ?? 128 + signalNumber(signal)));
    });
  } catch (cause) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `cannot execute ${program}: ${(cause as Error).message}`, { cause });
  } finally {
    terminal.signal.removeEventListener("abort", pass);
    process.removeListener("exit", end);
  }
}

const signals: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};
const signalNumber = (signal: string | null): number => signals[signal ?? ""] ?? 1;

/** The file of a program, as a shell would find it. @throws CLI_USAGE */
function programPath(terminal: Terminal, program: string): string {
  if (program.includes("/")) return resolve(terminal.directory, program);
  for (const directory of (terminal.environment["PATH"] ?? "").split(delimiter)) {
    if (directory === "") continue;
    const path = join(resolve(terminal.directory, directory), program);
    if (isProgram(path)) return path;
  }
  throw cliErrors.make(
    "CLI_USAGE",
    `expected a program, found ${JSON.stringify(program.slice(0, 80))} nowhere in PATH`,
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
