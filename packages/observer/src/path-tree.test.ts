import { describe, expect, test } from "vitest";
import { FileLedger, openFlags } from "./file-ledger.ts";
import { pathOf } from "./path-tree.ts";

describe("names", () => {
  const links: Record<string, string> = { "/in/l": "sub", "/in/abs": "/in/sub", "/in/loop": "loop" };
  const ledger = () => new FileLedger((base) => links[base]);
  const reading = openFlags("O_RDONLY");
  const writing = openFlags("O_WRONLY|O_CREAT|O_TRUNC");

  test("O8: links made before and during the step are followed, and loops end", () => {
    const { tree } = ledger();
    const at = (path: string, follow = true) => {
      const node = tree.resolve(path, follow);
      return node === undefined ? undefined : pathOf(node);
    };
    expect(at("/in/l/x")).toBe("/in/sub/x");
    expect(at("/in/abs")).toBe("/in/sub");
    expect(at("/in/abs", false)).toBe("/in/abs");
    expect(at("/in/abs/", false)).toBe("/in/sub");
    expect(at("/in/./l/../x//y")).toBe("/in/x/y");
    expect(at("/in/loop/x")).toBeUndefined();
  });

  test("O8: what lies below a renamed directory is still the earlier object", () => {
    const files = ledger();
    files.renamed("/in/sub", "/in/new", false);
    files.opened("/in/new/d", false, reading);
    expect(files.before.get("/in/sub/d")).toMatchObject({ read: true });
    files.opened("/in/sub", false, openFlags("O_RDONLY|O_DIRECTORY"));
    expect(files.before.has("/in/new")).toBe(true);
  });

  test("O12: reading what the step wrote is not reading an input", () => {
    const files = ledger();
    files.opened("/in/a", false, writing);
    files.opened("/in/a", false, reading);
    expect(files.before.get("/in/a")).toMatchObject({ read: false, replaced: true });
  });

  test("O12: reading first and writing then is both", () => {
    const files = ledger();
    files.opened("/in/a", false, openFlags("O_RDWR"));
    expect(files.before.get("/in/a")).toMatchObject({ read: true, replaced: true, maybe: false });
  });

  test("O8: a hard link to an input leads to the input", () => {
    const files = ledger();
    files.linked("/in/a", "/in/b", false);
    files.opened("/in/b", false, reading);
    expect(files.before.get("/in/a")).toMatchObject({ read: true });
    files.deleted("/in/b");
    expect([...files.removed.keys()]).toEqual(["/in/b"]);
  });

  test("O8: exchanged names lead to each other's objects", () => {
    const files = ledger();
    files.renamed("/in/a", "/in/b", true);
    files.opened("/in/a", false, reading);
    expect(files.before.get("/in/b")).toMatchObject({ read: true });
  });

  test("O6: O_PATH alone reads nothing", () => {
    const files = ledger();
    files.opened("/in/a", false, openFlags("O_RDONLY|O_PATH"));
    expect(files.before.size).toBe(0);
  });
});
