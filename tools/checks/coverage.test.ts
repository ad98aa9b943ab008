import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { command } from "../../packages/cli/src/commands/coverage.ts";
import { processTerminal, type Terminal } from "../../packages/cli/src/terminal.ts";
import { repositoryRoot } from "../repository.ts";

async function coverage(options: Record<string, unknown>): Promise<string[]> {
  const lines: string[] = [];
  const real = processTerminal(new AbortController().signal, () => () => {});
  const same = (text: string): string => text;
  const style = { good: same, bad: same, warn: same, dim: same, bold: same };
  const terminal: Terminal = { ...real, style, print: (line) => lines.push(line) };
  expect(await command.run({ arguments: [], options }, terminal)).toBe(0);
  return lines;
}

const rows = JSON.parse(readFileSync(join(repositoryRoot, "docs/requirements.json"), "utf8")) as { status: string }[];

test("R3: every requirement is counted once", async () => {
  const lines = await coverage({});
  const numbers = (line: string | undefined) =>
    [...(line ?? "").matchAll(/ (\d+)(?= )/g)].map(([, n]) => Number(n)).slice(0, 4);
  const sums = lines.slice(1, -1).map((line) => numbers(line.slice(40)));
  const total = numbers(lines.at(-1)?.slice(40));
  expect(total).toEqual([0, 1, 2, 3].map((at) => sums.reduce((sum, line) => sum + (line[at] ?? 0), 0)));
  expect(total.reduce((a, b) => a + b)).toBe(rows.length);
});

test("R3: rows are shown by stage and status, with what proves them", async () => {
  const planned = await coverage({ status: "planned" });
  expect(planned.at(-1)).toBe(`${rows.filter((row) => row.status === "planned").length} requirements`);
  const json = JSON.parse((await coverage({ stage: "attacks", json: true })).join("\n")) as {
    id: string;
    title: string;
  }[];
  expect(json.map((row) => row.id)).toContain("AT1");
  expect(json.every((row) => row.title !== "")).toBe(true);
});
