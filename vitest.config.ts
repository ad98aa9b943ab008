import { defineConfig } from "vitest/config";
import { HouseReporter } from "./tools/tests/reporter.ts";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "{attacks,bench,conformance,requirements,tools}/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    includeTaskLocation: true,
    reporters: ["default", new HouseReporter()],
  },
});
