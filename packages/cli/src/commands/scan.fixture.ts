import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { assembleImage, openLayout } from "@touchmark/image";
import { removeTree } from "@touchmark/store";
import { vi } from "vitest";
import { type Said, say } from "../fixture.ts";

/** A directory with a home beside it, and what commands say there. Used by tests only. */
export interface ScanScene {
  readonly directory: string;
  /** Writes a file below the directory; objects become JSON. Gives its path from there. */
  write(path: string, content: unknown): string;
  tell(...words: readonly string[]): Promise<Said>;
  close(): void;
}

export function openScanScene(): ScanScene {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-scan-")));
  vi.stubEnv("TOUCHMARK_HOME", join(directory, "home"));
  vi.stubEnv("SOURCE_DATE_EPOCH", undefined);
  return {
    directory,
    write: (path, content) => {
      const file = join(directory, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
      return path;
    },
    tell: (...words) => say(words, { directory }),
    close: () => {
      vi.unstubAllEnvs();
      removeTree(directory);
    },
  };
}

/** A lockfile of a project `shop` that needs `right`, which needs `left` of this version. */
export function lockOf(version: string) {
  return {
    ...{ name: "shop", version: "1.0.0", lockfileVersion: 3 },
    packages: {
      "": { name: "shop", version: "1.0.0", license: "MIT", dependencies: { right: "3.0.0" } },
      "node_modules/right": { version: "3.0.0", license: "MIT", dependencies: { left: version } },
      "node_modules/left": { version, license: "MIT" },
    },
  };
}

/** An advisory of class critical about `left` below 2.0.0, as OSV has it. */
export const leftFlaw = {
  ...{ id: "GHSA-left-0000-0001", aliases: ["CVE-2026-1001"], modified: "2026-01-01T00:00:00Z", summary: "a flaw" },
  severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
  affected: [
    {
      package: { ecosystem: "npm", name: "left" },
      ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }],
    },
  ],
};

/** Writes an image with one installed npm package to a layout. */
export async function writeImage(directory: string, version: string): Promise<void> {
  const out = openLayout(directory);
  const manifest = JSON.stringify({ name: "left", version, license: "MIT" });
  const files = [{ kind: "file", to: "/app/node_modules/left/package.json", content: Buffer.from(manifest) } as const];
  const platform = { os: "linux", architecture: "amd64" };
  const spec = { platform, layers: [{ files, createdBy: "step build" }], epoch: 1_700_000_000, user: "1001:1001" };
  await assembleImage(spec, { base: out, out, scratch: join(directory, "..", "scratch"), tag: "app" });
}
