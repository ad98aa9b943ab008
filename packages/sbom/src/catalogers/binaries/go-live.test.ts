import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { collectedFrom, contextOf } from "../collected.fixture.ts";
import { goBinaries } from "./go-binaries.ts";

const release = /go(\d+\.\d+(?:\.\d+)?)/.exec(spawnSync("go", ["version"], { encoding: "utf8" }).stdout ?? "")?.[1];
const directory = mkdtempSync(join(tmpdir(), "touchmark-go-"));

beforeAll(() => {
  mkdirSync(join(directory, "near"));
  writeFileSync(
    join(directory, "go.mod"),
    "module a.test/app\n\ngo 1.21\n\nrequire b.test/near v1.2.3\n\nreplace b.test/near => ./near\n",
  );
  writeFileSync(
    join(directory, "main.go"),
    'package main\n\nimport "b.test/near"\n\nfunc main() { println(near.Word) }\n',
  );
  writeFileSync(join(directory, "near", "go.mod"), "module b.test/near\n");
  writeFileSync(join(directory, "near", "near.go"), 'package near\n\nconst Word = "near"\n');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.skipIf(release === undefined)(
  "B2: what Go builds here is read, with symbols and without",
  { timeout: 180_000 },
  async () => {
    for (const flags of ["", "-s -w"]) {
      const output = join(directory, "app");
      execFileSync("go", ["build", "-trimpath", "-buildvcs=false", `-ldflags=${flags}`, "-o", output, "."], {
        cwd: directory,
        env: { ...process.env, GOFLAGS: "-mod=mod", GOPROXY: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" },
        stdio: "pipe",
      });
      const file = collectedFrom("bin/app", output);
      const { components, losses } = await goBinaries.catalogue([file], contextOf([file]));
      expect(losses).toEqual([]);
      expect(components.map(({ purl }) => purl)).toEqual([
        `pkg:golang/stdlib@${release}`,
        "pkg:golang/b.test/near@v1.2.3",
        "pkg:golang/a.test/app",
      ]);
    }
  },
);
