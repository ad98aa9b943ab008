import type { Json } from "@touchmark/core";
import type { ArtifactRule } from "../policy/layout.ts";
import { malformed } from "./document-members.ts";

const simple = ["ALLOW", "DISALLOW", "REQUIRE", "CREATE", "DELETE", "MODIFY"] as const;

/** Reads an artifact rule from its words (specification 1.0, section 4.3.3); key words in any case. @throws INTOTO_MALFORMED */
export function readArtifactRule(value: Json | undefined, path: string): ArtifactRule {
  const all = Array.isArray(value) && value.length <= 10 ? (value as readonly Json[]) : [];
  const words = all.filter((word) => typeof word === "string");
  const pattern = words[1] ?? "";
  if (words.length !== all.length || words.length < 2 || pattern === "" || words.some((word) => word.includes("\0"))) {
    throw malformed(`expected an artifact rule, words such as ["ALLOW", "*"], at ${path}`);
  }
  const key = (i: number) => (words[i] ?? "").toUpperCase();
  const rule = simple.find((each) => each === key(0));
  if (rule !== undefined && words.length === 2) return { rule, pattern };
  if (key(0) === "MATCH") {
    // MATCH pattern [IN prefix] WITH MATERIALS|PRODUCTS [IN prefix] FROM step
    const own = key(2) === "IN" && words.length > 6 ? words[3] : undefined;
    const from = own === undefined ? 2 : 4;
    const other = key(from + 2) === "IN" && words.length > from + 4 ? words[from + 3] : undefined;
    const end = other === undefined ? from + 2 : from + 4;
    const kind = key(from + 1);
    const step = words[end + 1];
    const fits = key(from) === "WITH" && key(end) === "FROM" && words.length === end + 2;
    if (fits && step !== undefined && step !== "" && (kind === "MATERIALS" || kind === "PRODUCTS")) {
      return {
        rule: "MATCH",
        pattern,
        ...(own === undefined || own === "" ? {} : { in: own }),
        with: kind === "MATERIALS" ? "materials" : "products",
        ...(other === undefined || other === "" ? {} : { to: other }),
        from: step,
      };
    }
  }
  throw malformed(`expected an artifact rule at ${path}, found ${JSON.stringify(words).slice(0, 200)}`);
}

/** An artifact rule as words. */
export function writeArtifactRule(rule: ArtifactRule): readonly string[] {
  if (rule.rule !== "MATCH") return [rule.rule, rule.pattern];
  return [
    ...["MATCH", rule.pattern],
    ...(rule.in === undefined ? [] : ["IN", rule.in]),
    ...["WITH", (rule.with ?? "products").toUpperCase()],
    ...(rule.to === undefined ? [] : ["IN", rule.to]),
    ...["FROM", rule.from ?? ""],
  ];
}
