import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestHex, fixedClock } from "@touchmark/core";
import { s3RegistryBackend } from "@touchmark/registry";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { findProgram } from "../program.ts";
import { type ObjectServer, objectServerProgram, startObjectServer } from "./object-server.ts";
import { registryBackendContract } from "./registry-contract.ts";

let server: ObjectServer | undefined;
let count = 0;

// Skipped with the reason that the program is not installed.
describe.skipIf(findProgram(objectServerProgram) === undefined)("against a real object storage", () => {
  beforeAll(async () => {
    server = await startObjectServer();
  });
  afterAll(() => server?.close());

  registryBackendContract("s3", async () => {
    if (server === undefined) throw new TypeError("no object storage");
    const clock = fixedClock(new Date());
    const prefix = `test-${count++}`;
    const backend = await s3RegistryBackend({ ...server, prefix, clock });
    onTestFinished(() => backend.close());
    const { directory } = server;
    return {
      backend,
      clock,
      corrupt: async (digest, bytes) => {
        const content = join(directory, prefix, "content", "sha256", digestHex(digest));
        // A manifest is an object of its repository, with its bytes in it.
        const record = join(directory, prefix, "repositories", "a", "manifests", digestHex(digest));
        const path = existsSync(content) ? content : record;
        if (bytes === undefined) return rmSync(path);
        if (path === content) return writeFileSync(path, bytes);
        const text = JSON.parse(readFileSync(path, "utf8")) as object;
        return writeFileSync(path, JSON.stringify({ ...text, bytes: Buffer.from(bytes).toString("base64") }));
      },
    };
  });
});
