import crypto from "node:crypto";
import fs from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type HashJob, type HashOutcome, hashFiles } from "./hash-files.ts";

// Starting a thread costs about as much as hashing a thousand small files here.
const MIN_FILES_FOR_THREADS = 2000;
const FILES_PER_JOB = 512;
const MAX_THREADS = 4;

const source = `
const fs = require("node:fs");
const crypto = require("node:crypto");
const { parentPort } = require("node:worker_threads");
const run = ${hashFiles.toString()};
parentPort.on("message", (job) => {
  const outcome = run(fs, crypto, job);
  parentPort.postMessage(outcome, [outcome.digests.buffer, outcome.sizes.buffer, outcome.executable.buffer]);
});`;

/** Idle threads, kept for the next tree; they never keep the process alive. */
const idle: Worker[] = [];

/**
 * Hashes files of one directory, with threads when that pays. The outcomes stand in the order of the paths, each for
 * one batch.
 */
export async function hashAll(
  paths: readonly string[],
  job: Omit<HashJob, "paths">,
  threads: "auto" | "never" | "always" = "auto",
): Promise<HashOutcome[]> {
  const jobs: HashJob[] = [];
  for (let start = 0; start < paths.length; start += FILES_PER_JOB) {
    jobs.push({ ...job, paths: paths.slice(start, start + FILES_PER_JOB).join("\0") });
  }
  const count = Math.min(MAX_THREADS, availableParallelism(), jobs.length);
  const worthwhile = threads === "always" || (threads === "auto" && paths.length >= MIN_FILES_FOR_THREADS);
  if (!worthwhile || count < 2) return jobs.map((one) => hashFiles(fs, crypto, one));

  const outcomes: HashOutcome[] = new Array(jobs.length);
  let next = 0;
  let failed = false;
  const drive = async (): Promise<void> => {
    const thread = idle.pop() ?? startThread();
    for (let index = next++; index < jobs.length && !failed; index = next++) {
      // A thread that cannot start or dies is no reason to fail: the work is done here instead.
      const outcome = (await ask(thread, jobs[index] as HashJob)) ?? hashFiles(fs, crypto, jobs[index] as HashJob);
      outcomes[index] = outcome;
      failed ||= outcome.failure !== null;
    }
    if (thread.threadId > 0) idle.push(thread);
  };
  await Promise.all(Array.from({ length: count }, drive));
  return outcomes.filter((outcome) => outcome !== undefined);
}

function startThread(): Worker {
  const thread = new Worker(source, { eval: true, execArgv: [], env: {} });
  thread.unref();
  return thread;
}

function ask(thread: Worker, job: HashJob): Promise<HashOutcome | undefined> {
  if (thread.threadId <= 0) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const settle = (outcome: HashOutcome | undefined) => {
      thread.off("message", onMessage);
      thread.off("error", onEnd);
      thread.off("exit", onEnd);
      thread.unref();
      resolve(outcome);
    };
    const onMessage = (outcome: HashOutcome) => settle(outcome);
    const onEnd = () => settle(undefined);
    thread.on("message", onMessage);
    thread.on("error", onEnd);
    thread.on("exit", onEnd);
    // Adding a message listener refs the port; while a job is under way that is right, afterwards not.
    thread.ref();
    thread.postMessage(job);
  });
}
