import { expect, test } from "vitest";
import { parseMaterialsConfiguration } from "../configuration/parse.ts";
import { rulesPage } from "./rules-page.ts";
import { gateRules } from "./table.ts";

test("G7: every rule has a section with setting, message and its exceptions; ids are unique", () => {
  const page = rulesPage();
  expect(new Set(gateRules.map((rule) => rule.id)).size).toBe(gateRules.length);
  for (const rule of gateRules) {
    expect(page).toContain(`## ${rule.id}\n`);
    expect(page).toContain(rule.example);
  }
});

test("G7: the configuration on the page is one that is read", () => {
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(rulesPage()) ?? [];
  expect(parseMaterialsConfiguration(yaml, "materials.yaml").gate.exceptions).toHaveLength(1);
});
