import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Bench, type Caller, missingFor, openBench } from "./fixture.ts";
import type { StepJob } from "./job.ts";

const port = 3128;

/** A server of the control plane on a Unix socket, for a bench's caller. */
async function serve(
  bench: Bench,
  name: string,
  answer: (socket: Socket) => void,
): Promise<{ server: Server; more: Partial<StepJob> }> {
  const path = join(bench.make(name), "socket");
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o666);
  return { server, more: { network: "proxy", bridge: { port, socket: path } } };
}

const connectTo = (to: number): string =>
  `socket(S, 2, 1, 0) or die; connect(S, pack("S n C4 x8", 2, ${to}, 127, 0, 0, 1)) or print("connect ", $! + 0, "\\n"), exit;`;

for (const caller of ["root", "user"] satisfies Caller[]) {
  const missing = missingFor(caller);
  describe.skipIf(missing !== null)(`as ${caller}${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
    const bench = openBench(caller);
    afterAll(() => bench.close());

    test("W14: the step's loopback leads to the socket of the control plane, from its first instruction", async () => {
      const { server, more } = await serve(bench, "hello", (socket) => socket.end("hello\n"));
      const ran = await bench.run(
        bench.job(
          `perl -e '${connectTo(port)} print <S>'; ls /sys/class/net; ls -A /etc/ssl; wc -c < /etc/ssl/certs/ca-certificates.crt; ls /etc/resolv.conf`,
          more,
        ),
      );
      server.close();
      expect(ran.text).toMatch(/^hello\n/);
    });
  });
}
