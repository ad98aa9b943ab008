import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Git's own server behind plain http on 127.0.0.1. */
export interface GitHttpServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the repositories below a directory by `git http-backend`; pushes too, if `isWritable`. */
export async function gitHttpServer(root: string, isWritable = false): Promise<GitHttpServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const configuration = isWritable
      ? { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.receivepack", GIT_CONFIG_VALUE_0: "true" }
      : {};
    const backend = spawn("git", ["http-backend"], {
      env: {
        ...{ PATH: process.env["PATH"], GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: "1", GIT_CONFIG_NOSYSTEM: "1" },
        ...{ HOME: root, PATH_INFO: url.pathname, QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method },
        ...{ CONTENT_TYPE: request.headers["content-type"] ?? "", REMOTE_ADDR: "127.0.0.1", REMOTE_USER: "step" },
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        ...configuration,
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    request.pipe(backend.stdin).on("error", () => {});
    const chunks: Buffer[] = [];
    backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    backend.on("close", () => {
      const bytes = Buffer.concat(chunks);
      const split = Math.max(bytes.indexOf("\r\n\r\n"), 0);
      for (const line of bytes.toString("latin1", 0, split).split("\r\n")) {
        const [name = "", value = ""] = line.split(/: (.*)/);
        if (name.toLowerCase() === "status") response.statusCode = Number.parseInt(value, 10);
        else if (name !== "") response.setHeader(name, value);
      }
      response.end(bytes.subarray(split + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
