import type { AffectedPackage, AffectedRange } from "../advisory.ts";
import { type AdvisoryRecord, type Row, undated } from "../database/row.ts";

/** Everything below a version, or everything where there is none. */
export function below(fixed?: string): AffectedRange {
  return {
    type: "ECOSYSTEM",
    events: fixed === undefined ? [{ introduced: "0" }] : [{ introduced: "0" }, { fixed }],
  };
}

/** What a distribution's list of packages says of one vulnerability, gathered until the list ends. */
interface Draft {
  summary: string;
  readonly aliases: Set<string>;
  readonly affected: AffectedPackage[];
}

/** Advisories of a source that lists packages, and vulnerabilities below each: turned around, one a vulnerability. */
export class Drafts {
  readonly #drafts = new Map<string, Draft>();

  add(id: string, affected: AffectedPackage, more: { summary?: string; aliases?: readonly string[] } = {}): void {
    let draft = this.#drafts.get(id);
    if (draft === undefined) {
      draft = { summary: "", aliases: new Set(), affected: [] };
      this.#drafts.set(id, draft);
    }
    draft.affected.push(affected);
    for (const alias of more.aliases ?? []) if (alias !== id) draft.aliases.add(alias);
    if (draft.summary === "" && more.summary !== undefined) draft.summary = more.summary;
  }

  *rows(modified: string = undated): Generator<Row> {
    for (const [id, { summary, aliases, affected }] of this.#drafts) {
      const record: AdvisoryRecord = {
        ...{ id, aliases: [...aliases].sort(), upstream: [], related: [], modified, summary },
        ...{ severities: [], cwes: [], references: [], affected },
      };
      yield { kind: "advisory", record };
    }
  }
}
