// What the set-up tells its user: one line per thing done, and errors that say what to do.

const start = Date.now();

/** Prints a line of progress. */
export function say(line) {
  process.stderr.write(`touchmark: ${redact(line)}\n`);
}

/** Seconds since the given time, for the ends of lines. */
export function seconds(since = start) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** Takes credentials out of addresses: registries and proxies may carry them. */
export function redact(text) {
  return text
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi, "$1…@")
    .replace(/((?:_authToken|_auth|_password|token|password)["']?\s*[=:]\s*["']?)[^\s"']+/gi, "$1…");
}

/** An end of the set-up that the user can do something about. */
export class SetupError extends Error {
  /** @param {string} message @param {string[]} todo lines that say what to do */
  constructor(message, todo = []) {
    super(message);
    this.todo = todo;
  }
}

/** The last lines of a program's output, redacted and indented. */
export function lastLines(text, count = 12) {
  return redact(text)
    .trimEnd()
    .split("\n")
    .slice(-count)
    .map((line) => `    ${line}`)
    .join("\n");
}
