import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import type { ScanGatePolicy } from "@touchmark/formats/findings";
import {
  PipelineFileError,
  Problems,
  readYaml,
  scanDocument,
  scanExceptions,
  scanGatePolicy,
} from "@touchmark/formats/pipeline";
import type { Factory } from "../factory.ts";
import { analysisErrors } from "./errors.ts";

/** The user's rules over what is inside. A member that is absent asks for nothing. */
export interface ScanConfiguration {
  /** Of the file's text; undefined when there is none. */
  readonly digest?: Digest;
  /** Over artifacts, and what `touchmark scan` is asked about. */
  readonly gate?: ScanGatePolicy;
  readonly workerImages?: ScanGatePolicy;
  readonly dependencies?: ScanGatePolicy;
}

/** Reads `scan.yaml` of the home; without one, nothing is asked of any scan. @throws SCAN_CONFIG_INVALID */
export function readScanConfiguration(factory: Factory): ScanConfiguration {
  const path = join(dirname(factory.home.paths.version), "scan.yaml");
  try {
    return parseScanConfiguration(new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)), path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    if ((cause as NodeJS.ErrnoException).code === "SCAN_CONFIG_INVALID") throw cause;
    throw analysisErrors.make("SCAN_CONFIG_INVALID", `expected a readable file of UTF-8 text at ${path}`, { cause });
  }
}

/** Reads the text of a file of rules. @throws SCAN_CONFIG_INVALID */
export function parseScanConfiguration(text: string, path: string): ScanConfiguration {
  try {
    const reading = readYaml(text, path);
    const problems = new Problems(path, reading);
    const checked = scanDocument.safeParse(reading.value);
    if (!checked.success) {
      problems.addIssues(checked.error.issues);
      problems.throwIfAny();
      throw checked.error;
    }
    const { gate, dependencies, "worker-images": workerImages } = checked.data;
    const exceptions = scanExceptions(checked.data);
    return {
      digest: sha256(text),
      ...(gate === undefined ? {} : { gate: scanGatePolicy(gate, exceptions) }),
      ...(dependencies === undefined ? {} : { dependencies: scanGatePolicy(dependencies, exceptions) }),
      ...(workerImages === undefined ? {} : { workerImages: scanGatePolicy(workerImages, exceptions) }),
    };
  } catch (cause) {
    if (cause instanceof PipelineFileError) {
      throw analysisErrors.make("SCAN_CONFIG_INVALID", cause.message, { cause });
    }
    throw cause;
  }
}
