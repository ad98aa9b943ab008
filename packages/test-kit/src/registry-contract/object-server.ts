import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../program.ts";

/** An object storage of its own, as a process. */
export interface ObjectServer {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The bucket as a directory: an object is a file. */
  readonly directory: string;
  close(): Promise<void>;
}

/** Name of the program that tests against an object storage need. */
export const objectServerProgram = "versitygw";

/** Starts an S3 server over a fresh directory; undefined when the program is not installed. */
export async function startObjectServer(): Promise<ObjectServer | undefined> {
  const program = findProgram(objectServerProgram);
  if (program === undefined) return undefined;
  const root = mkdtempSync(join(tmpdir(), "touchmark-objects-"));
  mkdirSync(join(root, "data", "registry"), { recursive: true });
  mkdirSync(join(root, "meta"));
  const port = await freePort();
  const credentials = { accessKeyId: "registry", secretAccessKey: "secret-of-a-test" };
  // Attributes in files, since not every temporary directory has extended ones.
  const words = [
    "--port",
    `127.0.0.1:${port}`,
    "--quiet",
    "posix",
    "--sidecar",
    join(root, "meta"),
    join(root, "data"),
  ];
  const child = spawn(program, words, {
    stdio: "ignore",
    env: { ...process.env, ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
  });
  const endpoint = `http://127.0.0.1:${port}`;
  while (child.exitCode === null && !(await answers(endpoint))) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    endpoint,
    bucket: "registry",
    region: "us-east-1",
    credentials,
    directory: join(root, "data", "registry"),
    close: async () => {
      if (child.exitCode === null) {
        child.kill();
        await once(child, "exit");
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    async (response) => {
      await response.body?.cancel();
      return true;
    },
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
