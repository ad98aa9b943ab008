import { readPolicyDocument } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { collections, libraryRules } from "./collections.ts";
import { libraryPage } from "./library-page.ts";

const page = libraryPage();

test("B6: the page has every collection with what it cannot judge yet, and every rule once, with all that it reads", () => {
  for (const { name, notYet } of collections) {
    expect(page).toContain(`### ${name}\n`);
    for (const { practice, needs } of notYet) expect(page).toContain(`- \`${practice}\` needs ${needs}.`);
  }
  for (const rule of libraryRules) {
    expect(page.split(`### ${rule.id}\n`)).toHaveLength(2);
    expect(page).toContain(`\`\`\`cel\n${rule.expression}\n\`\`\``);
    for (const { name } of rule.parameters ?? []) expect(page).toContain(`- Parameter \`${name}\``);
  }
  const anchors = new Set([...page.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) => text.replaceAll(/[^a-z0-9-]/g, "")));
  for (const [, target] of page.matchAll(/\]\(#([^)]*)\)/g)) expect(anchors).toContain(target);
});

test("B6: the policy on the page is one that is read", () => {
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  expect(readPolicyDocument(Buffer.from(yaml), { name: "page", kind: "policy" }).document.collections).toContain(
    "hermetic",
  );
});
