import { createHash, randomFillSync } from "node:crypto";
import { Agent, type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { emptyDescriptor, mediaTypes, serializeManifest } from "@touchmark/formats/oci";

/**
 * The load of `registry.ts`, in a process of its own: `node bench/registry/load.ts URL`, JSON on standard output. Plain
 * node:http, eight connections, the same for every registry; seconds by the wall clock.
 */
const [url = "", big = "1073741824", small = "2000", referrers = "1000"] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const repository = "bench/load";

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly bytes: number;
  readonly body: Buffer;
}

function ask(method: string, path: string, body?: Buffer | Readable, headers: Record<string, string | number> = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const asked = request(new URL(path, url), { method, agent, headers }, (response) => {
      let bytes = 0;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes < 8 * 1024 * 1024) chunks.push(chunk);
      });
      const status = response.statusCode ?? 0;
      response.on("end", () => resolve({ status, headers: response.headers, bytes, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    if (body instanceof Readable) body.pipe(asked);
    else asked.end(body);
  });
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Content that costs nothing to make: one piece, sent again and again. */
const piece = randomFillSync(Buffer.alloc(1024 * 1024));

function* pieces(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += piece.length) yield piece.subarray(0, Math.min(piece.length, size - sent));
}

function expect(answer: Answer, ...statuses: number[]): Answer {
  if (statuses.includes(answer.status)) return answer;
  throw new Error(
    `expected ${statuses.join(" or ")}, found ${answer.status}: ${answer.body.toString("utf8").slice(0, 300)}`,
  );
}

async function put(digest: string, size: number, body: () => Buffer | Readable): Promise<void> {
  const begun = expect(await ask("POST", `/v2/${repository}/blobs/uploads/`, undefined, { "content-length": 0 }), 202);
  const place = new URL(String(begun.headers.location), url);
  place.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream", "content-length": size };
  expect(await ask("PUT", place.href, body(), headers), 201);
}

async function inTurn(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

const figures: Record<string, number | null> = {};
const size = Number(big);
const hash = createHash("sha256");
for (const each of pieces(size)) hash.update(each);
const bigDigest = `sha256:${hash.digest("hex")}`;
figures["push-big"] = await timed(() => put(bigDigest, size, () => Readable.from(pieces(size))));
figures["pull-big"] = await timed(async () => {
  const answer = expect(await ask("GET", `/v2/${repository}/blobs/${bigDigest}`), 200);
  if (answer.bytes !== size) throw new Error(`expected ${size} bytes, found ${answer.bytes}`);
});
const blobs = Array.from({ length: Number(small) }, () => {
  const bytes = randomFillSync(Buffer.alloc(65536));
  return { bytes, digest: digestOf(bytes) };
});
figures["push-small"] = await timed(() =>
  inTurn(blobs.length, async (i) => {
    const { bytes, digest } = blobs[i] as (typeof blobs)[number];
    await put(digest, bytes.length, () => bytes);
  }),
);
figures["pull-small"] = await timed(() =>
  inTurn(blobs.length, async (i) => {
    expect(await ask("GET", `/v2/${repository}/blobs/${blobs[i]?.digest}`), 200);
  }),
);
const { data: _, ...empty } = emptyDescriptor;
await put(empty.digest, 2, () => Buffer.from("{}"));
const subjectBytes = Buffer.from(
  serializeManifest({
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: empty,
    layers: [],
    artifactType: "a/b",
  }),
);
const subject = {
  mediaType: mediaTypes.manifest,
  digest: digestOf(subjectBytes) as `sha256:${string}`,
  size: subjectBytes.length,
};
const putManifest = async (reference: string, bytes: Buffer): Promise<void> => {
  const headers = { "content-type": mediaTypes.manifest, "content-length": bytes.length };
  expect(await ask("PUT", `/v2/${repository}/manifests/${reference}`, bytes, headers), 201);
};
await putManifest("latest", subjectBytes);
figures["push-referrers"] = await timed(() =>
  inTurn(Number(referrers), async (i) => {
    const annotations = { "org.example.number": String(i) };
    const bytes = Buffer.from(
      serializeManifest({
        ...{ kind: "manifest", mediaType: mediaTypes.manifest, config: empty, layers: [], artifactType: "a/c" },
        ...{ subject, annotations },
      }),
    );
    await putManifest(digestOf(bytes), bytes);
  }),
);
figures["list-referrers"] = await timed(async () => {
  let path: string | undefined = `/v2/${repository}/referrers/${subject.digest}`;
  let found = 0;
  while (path !== undefined) {
    const answer: Answer = await ask("GET", path);
    if (answer.status !== 200) return;
    found += (JSON.parse(answer.body.toString("utf8")) as { manifests: unknown[] }).manifests.length;
    path = /<([^>]+)>/.exec(String(answer.headers.link ?? ""))?.[1];
  }
  figures["referrers-listed"] = found;
});
agent.destroy();
process.stdout.write(`${JSON.stringify(figures)}\n`);
