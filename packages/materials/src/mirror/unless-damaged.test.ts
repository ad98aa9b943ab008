import type { Digest } from "@touchmark/core";
import { expect, test } from "vitest";
import { hex, npmLock, sessionScene } from "../session/fixture.ts";
import { memoryMirror } from "./memory-mirror.ts";
import { codeOf } from "./mirror.fixture.ts";

const tarball = "https://registry.example/pad/-/pad-1.0.0.tgz";
const body = "the package";
const digest: Digest = `sha256:${hex("sha256", body)}`;
const lock = npmLock("pad", "1.0.0", [{ algorithm: "sha512", value: hex("sha512", body) }]);

test("M3: online a damaged or lost body is fetched again, offline it is refused", async () => {
  const mirror = memoryMirror();
  const online = () => sessionScene({ served: { [tarball]: { body } }, lockfiles: [lock], mirror });
  const offline = () => sessionScene({ served: {}, lockfiles: [lock], mirror, offline: true });
  const first = online();
  await first.ask(tarball);
  await first.ask(tarball);
  expect(first.asked.length).toBe(1);
  for (const damage of [Buffer.from("the packagE"), undefined]) {
    mirror.corrupt(digest, damage);
    const refused = await codeOf(offline().ask(tarball));
    expect(refused).toBe(damage === undefined ? "MIRROR_BODY_MISSING" : "MIRROR_BODY_CORRUPT");
    if (damage !== undefined) mirror.corrupt(digest, damage);
    const again = online();
    expect(await again.ask(tarball)).toEqual({ status: 200, body });
    expect(again.asked.length).toBe(1);
    expect((await offline().ask(tarball)).body).toBe(body);
  }
  await mirror.close();
});
