// Another process that uses a mirror: `node mirror-writer.ts HOME commit WORD COUNT | fill LOG | hold FILE`.

import { appendFileSync, writeFileSync } from "node:fs";
import { systemClock } from "@touchmark/core";
import { openMirror } from "@touchmark/materials";
import { openContentStore, openHome } from "@touchmark/store";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";

const [, , path = "", action = "", word = "", count = "0"] = process.argv;
const home = await openHome(path);
const content = await openContentStore(home);
const mirror = await openMirror({ directory: home.paths.materials, content, clock: systemClock });

if (action === "commit") {
  for (let i = 0; i < Number(count); i++) await commitMaterial(mirror, `${word} ${i}`);
} else if (action === "fill") {
  const bytes = Buffer.alloc(3_000_000, "pewter");
  const record = sampleMaterial(bytes);
  const lease = await mirror.lease("pewter");
  if ((await mirror.find(record.key)) === undefined) {
    appendFileSync(word, "download\n");
    await commitMaterial(mirror, bytes, record);
  }
  await lease.release();
  await mirror.body(record);
} else {
  await mirror.lease("pewter");
  writeFileSync(word, "held");
  setInterval(() => {}, 1e6);
}
if (action !== "hold") {
  await mirror.close();
  await home.close();
}
