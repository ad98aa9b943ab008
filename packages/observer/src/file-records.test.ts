import { expect, test } from "vitest";
import { canObserve, tryObserved } from "./testing.ts";

test.skipIf(!canObserve)("O12: a directory that is listed has a name, the root too", async () => {
  const { observation } = await tryObserved({ command: ["ls", "/"] });
  expect(observation.files.directories.sample).toContain("/");
  expect(observation.files.directories.sample).not.toContain("");
});
