import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { openMirror, recordKey } from "@touchmark/materials";
import { openContentStore, openHome } from "@touchmark/store";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { say } from "../../fixture.ts";

let directory: string;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-procedures-")));
  process.env["TOUCHMARK_HOME"] = join(directory, "home");
});

afterEach(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

describe("materials diff", () => {
  const git = (...words: string[]): string =>
    execFileSync("git", ["-C", directory, "-c", "user.name=T", "-c", "user.email=t@example.org", ...words], {
      encoding: "utf8",
    });
  const commit = (
    packages: Record<string, { version: string; content?: string; hasInstallScript?: boolean }>,
  ): void => {
    const rows = Object.entries(packages).map(([name, { version, content = name, ...more }]) => {
      const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}`;
      return [`node_modules/${name}`, { version, resolved: `https://one.example/${name}.tgz`, integrity, ...more }];
    });
    const root = { name: "demo", version: "1.0.0" };
    const lock = { ...root, lockfileVersion: 3, packages: { "": root, ...Object.fromEntries(rows) } };
    writeFileSync(join(directory, "package-lock.json"), JSON.stringify(lock));
    git("add", "package-lock.json");
    git("commit", "-q", "-m", "lock");
  };

  test("X15: names what an update brings, and ends with 3 on another digest of the same version", async () => {
    git("init", "-q");
    commit({ one: { version: "1.0.0" }, two: { version: "1.0.0" } });
    commit({ one: { version: "1.1.0", hasInstallScript: true }, three: { version: "2.0.0" } });
    const update = await say(["materials", "diff", "HEAD~1", "HEAD"], { directory });
    expect([update.code, update.out.split("\n").sort().filter(Boolean)]).toEqual([
      0,
      [
        "+ npm three 2.0.0",
        "- npm two 1.0.0",
        "look new-install-scripts: npm one@1.1.0: had none before",
        "~ npm one 1.0.0 -> 1.1.0",
      ],
    ]);
    commit({ one: { version: "1.1.0", content: "other", hasInstallScript: true }, three: { version: "2.0.0" } });
    const alarm = await say(["materials", "diff", "HEAD~1", "HEAD", "--json"], { directory });
    expect(alarm.code).toBe(3);
    expect(JSON.parse(alarm.out).findings).toEqual([expect.objectContaining({ kind: "changed-digest", alarm: true })]);
  });

  test("X15: lockfiles are read with the files beside them", async () => {
    git("init", "-q");
    const pinned = (name: string, version: string): string =>
      `${name}==${version} --hash=sha256:${createHash("sha256").update(version).digest("hex")}\n`;
    const requirements = (version: string): void => {
      mkdirSync(join(directory, "more"), { recursive: true });
      writeFileSync(join(directory, "requirements.txt"), `-r more/all.txt\n${pinned("one", "1.0.0")}`);
      writeFileSync(join(directory, "more", "all.txt"), pinned("two", version));
      git("add", ".");
      git("commit", "-q", "-m", "requirements");
    };
    requirements("1.0.0");
    requirements("2.0.0");
    const said = await say(["materials", "diff", "HEAD~1", "HEAD"], { directory });
    expect([said.code, said.out.split("\n").filter((line) => line.startsWith("~"))]).toEqual([
      0,
      ["~ pypi two 1.0.0 -> 2.0.0"],
    ]);
  });

  test("X15: without a lockfile in either revision there is nothing to compare", async () => {
    git("init", "-q");
    git("commit", "-q", "--allow-empty", "-m", "nothing");
    const said = await say(["materials", "diff", "HEAD", "HEAD", "--json"], { directory });
    expect([said.code, JSON.parse(said.out).code]).toEqual([2, "PROCEDURE_NO_LOCKFILE"]);
  });
});

describe("materials watch", () => {
  let server: Server;
  let packument: string | undefined;
  let secret: string | undefined;
  let url: string;

  beforeEach(async () => {
    server = createServer((request, response) => {
      const isLetIn = secret === undefined || request.headers.authorization === `Bearer ${secret}`;
      response.statusCode = isLetIn ? (packument === undefined ? 503 : 200) : 401;
      response.end(isLetIn ? packument : `not for ${request.headers.authorization}`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const announcing = (content: string): string => {
    const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}`;
    const dist = { tarball: `${url}pewter/-/pewter-1.0.0.tgz`, integrity };
    return JSON.stringify({ name: "pewter", versions: { "1.0.0": { name: "pewter", version: "1.0.0", dist } } });
  };

  test("X15: says what changed upstream, and by its exit code whether anybody must look", async () => {
    const opened = await openHome(process.env["TOUCHMARK_HOME"], { create: true });
    const content = await openContentStore(opened);
    const mirror = await openMirror({ directory: opened.paths.materials, content, clock: systemClock });
    await commitMaterial(mirror, "struck in pewter");
    const index = announcing("struck in pewter");
    const facts = { ecosystem: "npm", kind: "index", upstream: "main", name: "pewter", immutable: false } as const;
    const record = sampleMaterial(index, {
      path: "/pewter",
      more: { key: recordKey("GET", new URL("pewter", url), {}), url: `${url}pewter`, expected: [], facts },
    });
    await commitMaterial(mirror, index, record);
    await mirror.close();
    await opened.close();
    const upstreams = `upstreams:\n  npm:\n    - name: main\n      url: ${url}\n`;
    writeFileSync(join(directory, "home", "materials.yaml"), `touchmark: materials/v1\n${upstreams}`);

    packument = index;
    expect(await say(["materials", "watch"])).toMatchObject({ code: 0, out: "" });
    packument = announcing("struck in lead");
    const changed = await say(["materials", "watch", "--json"]);
    expect([changed.code, JSON.parse(changed.out)]).toMatchObject([
      3,
      { findings: [{ kind: "republished" }], exitCode: 3 },
    ]);
    // A private upstream: the credential of its fetch steps goes with the question, and into no report.
    secret = "canary-of-the-watch";
    const credentials = `credentials:\n  own:\n    host: ${new URL(url).host}\n    purpose: fetch\n    steps: [fetch]\n    from: { environment: OWN_TOKEN }\n`;
    writeFileSync(join(directory, "home", "materials.yaml"), `touchmark: materials/v1\n${upstreams}${credentials}`);
    packument = index;
    const environment = { ...process.env, OWN_TOKEN: secret };
    expect(await say(["materials", "watch", "--json"], { environment })).toMatchObject({ code: 0 });
    const expired = await say(["materials", "watch", "--json"], {
      environment: { ...process.env, OWN_TOKEN: "wrong-token" },
    });
    expect([expired.code, expired.out.includes("wrong-token")]).toEqual([4, false]);
    secret = undefined;
    packument = undefined;
    expect(await say(["materials", "watch"])).toMatchObject({
      code: 4,
      out: expect.stringContaining("unknown npm pewter"),
    });
  });
});
