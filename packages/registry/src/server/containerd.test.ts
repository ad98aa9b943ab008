import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findProgram } from "@touchmark/test-kit";
import { expect, onTestFinished, test } from "vitest";
import { clientScene } from "./clients.fixture.ts";

const containerd = findProgram("containerd");
const ctr = findProgram("ctr");
const isRoot = process.getuid?.() === 0;

test.skipIf(!containerd || !ctr || !isRoot)("D12: containerd fetches an image, and pushes it again", async () => {
  const { client, host, directory, image, call } = await clientScene();
  const socket = join(directory, "containerd.sock");
  const path = (name: string): string => JSON.stringify(join(directory, name));
  const configuration = `version = 2
root = ${path("root")}
state = ${path("state")}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = ${path("containerd.sock")}
[ttrpc]
address = ${path("ttrpc.sock")}
`;
  writeFileSync(join(directory, "config.toml"), configuration);
  const daemon = spawn(containerd ?? "", ["-c", join(directory, "config.toml")], { stdio: "ignore" });
  const ended = new Promise((resolve) => daemon.on("close", resolve));
  onTestFinished(async () => {
    daemon.kill();
    await ended;
  });
  while (!existsSync(socket) && daemon.exitCode === null) await pause(50);

  const { digest } = await image("a/b", "v1");
  const run = (...words: readonly string[]) => client(ctr, "-a", socket, ...words);
  await run("content", "fetch", "--plain-http", "--all-platforms", `${host}/a/b:v1`);
  expect(await run("images", "ls")).toContain(digest);
  expect(await run("content", "ls", "-q")).toContain(digest);
  await run("images", "push", "--plain-http", `${host}/pushed/c:v2`, `${host}/a/b:v1`);
  const copied = await call("HEAD", "/v2/pushed/c/manifests/v2");
  expect(copied.headers["docker-content-digest"]).toBe(digest);
});
