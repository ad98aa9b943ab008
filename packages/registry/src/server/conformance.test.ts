import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "@touchmark/test-kit";
import { expect, onTestFinished, test } from "vitest";
import { registryScene } from "./scene.fixture.ts";

const run = promisify(execFile);
const suite = findProgram("oci-conformance");

/** The suite of distribution-spec v1.1.1, as docs/conformance/distribution.md says how to build it. */
test.skipIf(!suite)("D13: the official conformance suite passes completely, all four workflows", async () => {
  const { registry } = await registryScene();
  const directory = mkdtempSync(join(tmpdir(), "conformance-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const workflows = ["PULL", "PUSH", "CONTENT_DISCOVERY", "CONTENT_MANAGEMENT"];
  const { stdout } = await run(suite ?? "", [], {
    env: {
      ...process.env,
      OCI_ROOT_URL: registry.url,
      OCI_NAMESPACE: "conformance/one",
      OCI_CROSSMOUNT_NAMESPACE: "conformance/two",
      OCI_HIDE_SKIPPED_WORKFLOWS: "0",
      OCI_DELETE_MANIFEST_BEFORE_BLOBS: "0",
      OCI_REPORT_DIR: directory,
      ...Object.fromEntries(workflows.map((name) => [`OCI_TEST_${name}`, "1"])),
    },
    maxBuffer: 1 << 24,
  });
  // Colours stand between the words.
  const plain = stdout.replaceAll(/\u001b\[[0-9;]*m/g, "");
  expect(plain).toMatch(/Ran 74 of \d+ Specs/);
  expect(plain).toMatch(/74 Passed \| 0 Failed/);
});
