import { expectField, expectStatus, expectThat } from "./check.ts";
import type { Answer } from "./client.ts";
import type { Scene } from "./scene.ts";

/** `Location` of a stored blob must lead to it. */
export async function expectPullable(scene: Scene, answer: Answer, body: Uint8Array): Promise<void> {
  const found = await scene.send("GET", expectField(answer, "Location"));
  expectStatus(found, 200);
  expectThat(found.body.equals(body), `${found.asked}: expected the blob at its Location`);
}
