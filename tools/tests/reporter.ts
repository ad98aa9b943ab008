import { writeSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from "vitest/node";
import { repositoryRoot } from "../repository.ts";
import { type FileRecord, fileDigest, recordResults, type TestRecord } from "./results.ts";
import { skipReason } from "./skip-reason.ts";

/** Prints why each test was skipped, records every result, and ends with one plain line of counts. */
export class HouseReporter implements Reporter {
  #counts = { passed: 0, failed: 0, skipped: 0 };
  #pattern: RegExp | undefined;
  #hasOutcome = false;

  onInit(vitest: Vitest): void {
    this.#pattern = vitest.config.testNamePattern;
    // The line must be the last, whatever other reporters print when they close.
    process.once("exit", () => {
      const { passed, failed, skipped } = this.#counts;
      if (this.#hasOutcome) writeSync(1, `tests: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.#hasOutcome = true;
    this.#counts = { passed: 0, failed: errors.length, skipped: 0 };
    const files: Record<string, FileRecord> = {};
    const reasons = new Map<string, string[]>();
    for (const module of modules) {
      const file = relative(repositoryRoot, module.moduleId);
      const tests: TestRecord[] = [];
      if (module.errors().length > 0) this.#counts.failed++;
      for (const test of module.children.allTests()) {
        if (this.#pattern?.test(test.fullName) === false) continue;
        const record = recordOf(test);
        tests.push(record);
        this.#counts[record.state]++;
        if (record.state === "skipped") {
          const because = `${file}: ${record.reason}`;
          reasons.set(because, [...(reasons.get(because) ?? []), record.title]);
        }
      }
      // With a pattern only a part of the file ran: that is no record of the file.
      if (this.#pattern === undefined) files[file] = { digest: fileDigest(file), tests };
    }
    recordResults(files);
    for (const [because, titles] of reasons) {
      console.log(`skipped  ${because}`);
      for (const title of titles) console.log(`           ${title}`);
    }
  }
}

function recordOf(test: TestCase): TestRecord {
  const result = test.result();
  const title = test.fullName;
  if (result.state === "passed" || result.state === "failed") {
    return { title, state: result.state, durationMs: Math.round(test.diagnostic()?.duration ?? 0) };
  }
  const lines: number[] = [];
  for (let at: TestCase | TestSuite | TestModule = test; at.type !== "module"; at = at.parent) {
    if (at.location !== undefined) lines.push(at.location.line);
  }
  const note = result.state === "skipped" ? result.note : undefined;
  return { title, state: "skipped", reason: note ?? skipReason(test.module.moduleId, lines) };
}
