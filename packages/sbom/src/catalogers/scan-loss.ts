import { isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";

/** What a scan lost at a file: the refusal that was met there. An error of any other kind is a bug and goes on. */
export function scanLoss(path: string, error: unknown): ScanLoss {
  if (!isFactoryError(error)) throw error;
  return { path, code: error.code, message: error.message };
}
