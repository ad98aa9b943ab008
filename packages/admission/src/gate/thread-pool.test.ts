import { afterEach, expect, test } from "vitest";
import { type ThreadPool, type ThreadPoolOptions, threadPool } from "./thread-pool.ts";

const never = new AbortController().signal;
const code = (wanted: string) => expect.objectContaining({ code: wanted });
const open: ThreadPool<string, string>[] = [];
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())));

function pool(options: Partial<ThreadPoolOptions> = {}): ThreadPool<string, string> {
  const url = new URL("./evaluation-thread.fixture.ts", import.meta.url).href;
  const made = threadPool<string, string>({ url, threads: 1, deadlineMs: 60_000, ...options });
  open.push(made);
  return made;
}

test("C18: questions are answered one at a time by each thread, in order", async () => {
  const own = pool({ threads: 2 });
  const asked = Array.from({ length: 50 }, (_, i) => `${i}`);
  expect(await Promise.all(asked.map((each) => own.ask(each, never)))).toEqual(
    asked.map((each) => `answer to ${each}`),
  );
  await expect(own.ask("fail", never)).rejects.toThrow("told to");
  expect(await own.ask("after", never)).toBe("answer to after");
});

test("C18: who never ends loses the thread by a code, and who waited behind is answered by another", async () => {
  const own = pool({ deadlineMs: 200 });
  const slow = expect(own.ask("loop", never)).rejects.toThrow(code("EVIDENCE_CACHE_EVALUATION_SLOW"));
  const behind = pool({ deadlineMs: 60_000 }).ask("elsewhere", never);
  const rejected = await Promise.all([slow, behind]);
  expect(rejected[1]).toBe("answer to elsewhere");
});

test("C18: who takes too much memory, or ends the thread, is refused by a code; nobody else's question is lost", async () => {
  const own = pool({ memoryMb: 24 });
  const memory = expect(own.ask("memory", never)).rejects.toThrow(code("EVIDENCE_CACHE_EVALUATION_MEMORY"));
  const behind = own.ask("behind", never);
  await memory;
  expect(await behind).toBe("answer to behind");
  const lost = expect(own.ask("die", never)).rejects.toThrow(code("EVIDENCE_CACHE_EVALUATION_LOST"));
  const after = own.ask("after", never);
  await lost;
  expect(await after).toBe("answer to after");
});

test("C18: waiting questions are bounded, and who stops waiting leaves", async () => {
  const own = pool({ waiting: 1 });
  const left = new AbortController();
  const first = own.ask("first", left.signal);
  await expect(own.ask("second", never)).rejects.toThrow(code("EVIDENCE_CACHE_EVALUATION_BUSY"));
  left.abort(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  expect(await own.ask("third", never)).toBe("answer to third");
});

test("C18: a thread that cannot start is told to everybody who waits", async () => {
  const own = pool({ url: "file:///nowhere/at-all.ts" });
  const both = await Promise.allSettled([own.ask("a", never), own.ask("b", never)]);
  expect(both.map((each) => (each.status === "rejected" ? (each.reason as { code: string }).code : ""))).toEqual([
    "EVIDENCE_CACHE_EVALUATION_LOST",
    "EVIDENCE_CACHE_EVALUATION_LOST",
  ]);
});
