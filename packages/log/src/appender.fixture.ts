import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openLog, openLogKeys } from "./index.ts";

/**
 * A process that appends, for tests: HOME NAME COUNT CALLERS [go]. Entries are `NAME N`. Writes a line `NAME N INDEX` to
 * standard output for each entry that was acknowledged, or `error CODE`. With `go` it waits for that file to exist.
 */
const [home = "", name = "", count = "1", callers = "1", go] = process.argv.slice(2);
const exists = (path: string): boolean => {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
};
const log = await openLog({ directory: join(home, "log"), keys: openLogKeys(join(home, "keys")) });
while (go !== undefined && !exists(go)) await new Promise((resume) => setTimeout(resume, 5));
let next = 0;
const caller = async (): Promise<void> => {
  while (next < Number(count)) {
    const n = next++;
    try {
      const { index } = await log.append(Buffer.from(`${name} ${n}`));
      writeSync(1, `${name} ${n} ${index}\n`);
    } catch (error) {
      writeSync(1, `error ${(error as { code?: string }).code}\n`);
    }
  }
};
await Promise.all(Array.from({ length: Number(callers) }, caller));
await log.close();
