import { gunzipSync } from "node:zlib";
import { materialErrors } from "./errors.ts";
import { malformed, requestLines } from "./git-packets.ts";

/** What a client asks of `git-upload-pack`. */
export interface GitRequest {
  readonly command: "ls-refs" | "fetch";
  /** Object ids that it wants, without duplicates, in its order. */
  readonly wants: readonly string[];
}

const largest = 16 << 20;
const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const flags = new Set([
  ...["done", "thin-pack", "no-progress", "include-tag", "ofs-delta", "deepen-relative", "sideband-all"],
  ...["wait-for-done", "peel", "symrefs", "unborn"],
]);

/**
 * Reads a body for `git-upload-pack` of protocol 2 (gitprotocol-v2). Only what names objects by their id is read: a
 * name of a branch (`want-ref`), or leave to answer with other addresses (`packfile-uris`), pins nothing.
 * @throws MATERIAL_GIT_MALFORMED | MATERIAL_GIT_UNSUPPORTED
 */
export function gitRequest(body: Uint8Array): GitRequest {
  const lines = requestLines(inflated(body));
  const command = /^command=(.*)$/.exec(lines[0] ?? "")?.[1];
  if (command === undefined) {
    throw materialErrors.make(
      "MATERIAL_GIT_UNSUPPORTED",
      "expected a command of protocol version 2, found an older one",
    );
  }
  if (command !== "ls-refs" && command !== "fetch") {
    throw materialErrors.make(
      "MATERIAL_GIT_UNSUPPORTED",
      `expected ls-refs or fetch, found ${JSON.stringify(command)}`,
    );
  }
  const split = lines.indexOf(null);
  const capabilities = lines.slice(1, split < 0 ? undefined : split);
  const capability = capabilities.find((line) => !/^(agent|object-format|server-option|session-id)=/.test(line ?? ""));
  if (capability !== undefined) malformed(`known capabilities, found ${JSON.stringify(capability?.slice(0, 80))}`);
  const wants = new Set<string>();
  for (const line of split < 0 ? [] : lines.slice(split + 1)) {
    if (line === null) malformed("one delimiter packet, found two");
    else if (command === "fetch") fetchLine(line, wants);
    else if (!flags.has(line) && !line.startsWith("ref-prefix ")) unknownLine(line);
  }
  return { command, wants: [...wants] };
}

/** Object ids that a body for `git-upload-pack` wants; none for a question about references. */
export function gitWants(body: Uint8Array): readonly string[] {
  return gitRequest(body).wants;
}

function fetchLine(line: string, wants: Set<string>): void {
  const [, word = "", value = ""] = /^([a-z-]+)(?: (.*))?$/.exec(line) ?? [];
  switch (word) {
    case "want":
    case "have":
    case "shallow":
      if (!objectId.test(value)) malformed(`an object id behind ${word}, found ${JSON.stringify(value.slice(0, 80))}`);
      if (word === "want") wants.add(value);
      return;
    case "deepen":
    case "deepen-since":
      if (!/^\d{1,15}$/.test(value)) malformed(`a number behind ${word}, found ${JSON.stringify(value.slice(0, 80))}`);
      return;
    case "filter":
      if (!/^[a-z]+:[\w=,+:%-]{1,200}$/.test(value)) malformed(`a filter, found ${JSON.stringify(value.slice(0, 80))}`);
      return;
    case "want-ref":
    case "packfile-uris":
    case "deepen-not":
      throw materialErrors.make("MATERIAL_GIT_UNSUPPORTED", `expected objects by their id, found ${word}`);
    default:
      if (value !== "" || !flags.has(word)) unknownLine(line);
  }
}

function unknownLine(line: string): never {
  return malformed(`arguments of protocol version 2, found ${JSON.stringify(line.slice(0, 80))}`);
}

/** Git compresses what is longer than 1024 bytes; hex digits never begin like a gzip stream. */
function inflated(body: Uint8Array): Uint8Array {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  try {
    return gunzipSync(body, { maxOutputLength: largest });
  } catch (cause) {
    throw materialErrors.make("MATERIAL_GIT_MALFORMED", "expected a gzip stream of at most 16 MiB", { cause });
  }
}
