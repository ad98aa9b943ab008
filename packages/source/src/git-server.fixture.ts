import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** A git server over https for tests: git's own CGI behind a certificate of its own. */
export interface TestServer {
  /** `https://localhost:PORT`. */
  readonly url: string;
  /** What a client needs to trust it. */
  readonly transport: Record<string, string>;
  /** Paths asked for so far. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves the repositories below a directory. */
export async function serveGit(root: string): Promise<TestServer> {
  const [key, certificate] = [join(root, "key.pem"), join(root, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-nodes", "-days", "2", ...curve, ...subject, "-keyout", key, "-out", certificate],
    { stdio: "ignore" },
  );
  const requests: string[] = [];
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const url = new URL(request.url ?? "/", "https://localhost");
    requests.push(url.pathname);
    const backend = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env["PATH"],
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_CONFIG_NOSYSTEM: "1",
        HOME: root,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    request.pipe(backend.stdin).on("error", () => {});
    const chunks: Buffer[] = [];
    backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    backend.on("close", () => {
      const bytes = Buffer.concat(chunks);
      const split = bytes.indexOf("\r\n\r\n");
      for (const line of bytes.toString("latin1", 0, Math.max(split, 0)).split("\r\n")) {
        const [name = "", value = ""] = line.split(/: (.*)/);
        if (name.toLowerCase() === "status") response.statusCode = Number.parseInt(value, 10);
        else if (name !== "") response.setHeader(name, value);
      }
      response.end(bytes.subarray(split + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    transport: { GIT_SSL_CAINFO: certificate, NO_PROXY: "localhost", no_proxy: "localhost" },
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
