import { connect } from "node:tls";

/** What a load found out: one latency for each answered request, sorted, in milliseconds. */
export interface Load {
  readonly latencies: Float64Array;
  readonly seconds: number;
}

/** Where to ask, and what. */
export interface Question {
  readonly url: URL;
  /** PEM of the authority that vouches for the server. */
  readonly authority: string;
  readonly body: (i: number) => Buffer;
  /** Must stand in every answer. */
  readonly expected: string;
}

/**
 * Asks through connections that stay open, each the next question when the last was answered. Requests are bytes that
 * were made before, and answers are read by their length alone: the client shares the processors with the service.
 */
export async function load(question: Question, requests: number, connections: number): Promise<Load> {
  const latencies = new Float64Array(requests);
  let next = 0;
  const take = (): number | undefined => (next < requests ? next++ : undefined);
  const begun = performance.now();
  await Promise.all(Array.from({ length: connections }, () => drive(question, take, latencies)));
  const seconds = (performance.now() - begun) / 1000;
  return { latencies: latencies.sort(), seconds };
}

/** The value below which a share of all latencies lies. */
export const quantile = ({ latencies }: Load, share: number): number =>
  latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;

function drive(question: Question, take: () => number | undefined, latencies: Float64Array): Promise<void> {
  const { url, authority, expected } = question;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), servername: "localhost", ca: authority });
    let current = 0;
    let since = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = (): void => {
      const taken = take();
      if (taken === undefined) {
        socket.end();
        resolve();
        return;
      }
      current = taken;
      const bytes = requestBytes(url, question.body(taken));
      since = performance.now();
      socket.write(bytes);
    };
    socket.setNoDelay(true);
    socket.on("secureConnect", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the service ended a connection")));
    socket.on("data", (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const head = received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(received.toString("latin1", 0, head))?.[1]);
      if (!(received.length >= head + 4 + length)) return;
      latencies[current] = performance.now() - since;
      if (!received.includes("HTTP/1.1 200") || !received.includes(expected)) {
        reject(new Error(`expected ${expected}, found ${received.toString("utf8").slice(0, 2000)}`));
        socket.destroy();
        return;
      }
      received = Buffer.alloc(0);
      send();
    });
  });
}

function requestBytes(url: URL, body: Buffer): Buffer {
  const lines = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}
