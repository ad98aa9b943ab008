import { parse, TomlError } from "smol-toml";
import { lockfileErrors } from "./errors.ts";
import { lockfileLimits } from "./options.ts";
import { type Members, members } from "./shape.ts";

/** Reads TOML 1.0. @throws LOCKFILE_MALFORMED | LOCKFILE_TOO_DEEP | LOCKFILE_TOO_LARGE */
export function readToml(text: string, where: string): Members {
  if (text.length > lockfileLimits.tomlBytes) {
    throw lockfileErrors.make(
      "LOCKFILE_TOO_LARGE",
      `${where}: expected at most ${lockfileLimits.tomlBytes} characters of TOML, found ${text.length}`,
    );
  }
  try {
    return members(parse(text, { maxDepth: 32 }), where);
  } catch (cause) {
    if (!(cause instanceof TomlError) && !(cause instanceof RangeError)) throw cause;
    const message = cause.message.split("\n", 1)[0]?.slice(0, 200) ?? "";
    const isDeep = cause instanceof RangeError || message.includes("nested");
    throw lockfileErrors.make(isDeep ? "LOCKFILE_TOO_DEEP" : "LOCKFILE_MALFORMED", `${where}: ${message}`, { cause });
  }
}
