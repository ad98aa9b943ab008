import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** True when a program of that name lies on the path. */
export function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
