import { cliErrors } from "../../errors.ts";
import type { Terminal } from "../../terminal.ts";

/** Longest input that is read as a password. */
const MOST = 4096;

/**
 * Reads a password from a terminal, without showing it, or the first line of standard input. Never from the command
 * line, which every process of the host can read. @throws CLI_USAGE
 */
export async function readPassword(terminal: Terminal, prompt: string): Promise<string> {
  const { stdin } = terminal;
  if (!stdin.isTTY) {
    const given = await readAll(stdin);
    const line = given.replace(/\r?\n$/, "");
    if (line === "" || /[\r\n]/.test(line)) {
      throw cliErrors.make("CLI_USAGE", "expected one line with a password on standard input");
    }
    return line;
  }
  terminal.draw(prompt);
  stdin.setRawMode(true);
  try {
    return await typed(terminal);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    terminal.draw("\n");
  }
}

async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > MOST) throw cliErrors.make("CLI_USAGE", `expected a password of at most ${MOST} bytes, found more`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What is typed up to the return key. Raw mode leaves every key to us, also the interrupt. */
function typed({ stdin }: Terminal): Promise<string> {
  return new Promise((resolve, reject) => {
    const keys: string[] = [];
    const done = (error?: Error): void => {
      stdin.off("data", onData);
      if (error === undefined) resolve(keys.join(""));
      else reject(error);
    };
    const onData = (chunk: Buffer | string): void => {
      for (const key of chunk.toString()) {
        if (key === "\r" || key === "\n" || key === "\u0004") return done();
        if (key === "\u0003") return done(cliErrors.make("CLI_USAGE", "expected a password, found an interruption"));
        if (key === "\u007f" || key === "\b") keys.pop();
        else if (keys.length < MOST) keys.push(key);
      }
    };
    stdin.on("data", onData);
    stdin.resume();
  });
}
