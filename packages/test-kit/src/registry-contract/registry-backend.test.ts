import { fixedClock } from "@touchmark/core";
import { memoryRegistryBackend } from "@touchmark/registry";
import { registryBackendContract } from "./registry-contract.ts";

registryBackendContract("memory", async () => {
  const clock = fixedClock(new Date());
  const backend = memoryRegistryBackend({ clock });
  return { backend, clock, corrupt: async (digest, bytes) => backend.corrupt(digest, bytes) };
});
