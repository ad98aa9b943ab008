import { blobContract } from "./blob-contract.ts";
import { collectContract } from "./collect-contract.ts";
import { concurrentContract } from "./concurrent-contract.ts";
import { manifestContract } from "./manifest-contract.ts";
import type { RegistryBackendFixture } from "./registry-fixture.ts";
import { uploadContract } from "./upload-contract.ts";

/** What every backend of a registry must do; each registers these tests for itself (registry SPEC B). */
export function registryBackendContract(name: string, make: () => Promise<RegistryBackendFixture>): void {
  blobContract(name, make);
  uploadContract(name, make);
  manifestContract(name, make);
  collectContract(name, make);
  concurrentContract(name, make);
}
