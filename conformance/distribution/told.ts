import { expectThat, NotOffered } from "./check.ts";
import type { Answer } from "./client.ts";

export function expectBody(answer: Answer, content: Uint8Array | string): void {
  expectThat(answer.body.equals(Buffer.from(content)), `${answer.asked}: expected the bytes that were pushed`);
}

/** A digest that is told must be that of the content; one that is not told is another check's matter. */
export function expectToldDigest(answer: Answer, digest: string): void {
  const told = answer.headers["docker-content-digest"];
  if (told === undefined) throw new NotOffered("no Docker-Content-Digest is told");
  expectThat(told === digest, `${answer.asked}: expected ${digest}, told was ${String(told)}`);
}
