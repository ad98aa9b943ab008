import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A build to be timed: sources made here, built into the directory that TOUCHMARK_OUTPUT names. */
export interface Workload {
  readonly name: string;
  readonly source: string;
  readonly command: readonly string[];
}

const repository = join(import.meta.dirname, "..", "..");

/** 200 generated C files, an object each, one program: `make -j2`. */
function makeC(directory: string, files: number): void {
  const functions = Array.from({ length: 20 }, (_, k) => k);
  for (let i = 0; i < files; i++) {
    const body = functions.map(
      (k) =>
        `static unsigned t${k}_${i}(const char *s, size_t n){ unsigned h=${i}u*2654435761u+${k}u; for(size_t j=0;j<n;j++){ h^=(unsigned char)s[j]; h*=16777619u; if((h&${k}u)==3u) h=(h<<5)|(h>>27); switch(h%7u){case 0:h+=1;break;case 1:h^=${i};break;case 5:h*=5;break;default:break;} } return h; }`,
    );
    const calls = functions.map((k) => `h+=t${k}_${i}(s,n);`).join("");
    const unit = `unsigned unit${i}(const char *s){ size_t n=strlen(s); unsigned h=0;${calls} return h; }`;
    const head = ["stdio.h", "stdlib.h", "string.h"].map((name) => `#include <${name}>`);
    writeFileSync(join(directory, `u${i}.c`), [...head, '#include "all.h"', ...body, unit, ""].join("\n"));
  }
  const units = Array.from({ length: files }, (_, i) => i);
  writeFileSync(join(directory, "all.h"), units.map((i) => `unsigned unit${i}(const char *);\n`).join(""));
  const sum = units.map((i) => `h+=unit${i}("touch");`).join("");
  writeFileSync(
    join(directory, "main.c"),
    `#include <stdio.h>\n#include "all.h"\nint main(void){unsigned h=0;${sum}printf("%u\\n",h);return 0;}\n`,
  );
  writeFileSync(
    join(directory, "Makefile"),
    "O=$(TOUCHMARK_OUTPUT)\nOBJS=$(patsubst %.c,$(O)/%.o,$(wildcard *.c))\n$(O)/prog: $(OBJS)\n\t$(CC) -o $@ $^\n$(O)/%.o: %.c all.h\n\t$(CC) -O2 -g -c -o $@ $<\n",
  );
}

/** 200 generated modules and the repository's own compiler; its packages are copied first, as an installer would. */
function makeTypeScript(directory: string, modules: number): void {
  for (const name of [
    "typescript",
    "@typescript",
    "@types/node",
    "undici-types",
    "fast-check",
    "knip",
    "yaml",
    "zod",
  ]) {
    const from = join(repository, "node_modules", name);
    if (existsSync(from))
      cpSync(from, join(directory, "node_modules", name), { recursive: true, verbatimSymlinks: true });
  }
  mkdirSync(join(directory, "src"));
  for (let i = 0; i < modules; i++) {
    const before = [1, 2, 7].filter((d) => i >= d);
    const imports = before.map((d) => `import { C${i - d}, type R${i - d}, f${i - d}_0 } from "./m${i - d}.ts";`);
    const functions = Array.from(
      { length: 8 },
      (_, k) =>
        `export function f${i}_${k}<T extends Partial<R${i}>>(x: T, rest: readonly R${i}[] = []): { h: string; v: T; m: Map<string, R${i}> } {\n  const m = new Map(rest.filter((r) => r.n % ${k + 2} === 0).map((r) => [r.id, { ...r, n: r.n + ${k} }] as const));\n  return { h: createHash("sha256").update(JSON.stringify(x)).digest("hex"), v: x, m };\n}`,
    );
    const uses = before.map(
      (d) => `  with${d}(r: R${i - d}): string { return f${i - d}_0(r).h + new C${i - d}().size; }`,
    );
    const text = [
      'import { createHash } from "node:crypto";',
      ...imports,
      `export interface R${i} { id: string; n: number; tags: string[]; kind: "a" | "b" | "c" }`,
      ...functions,
      `export class C${i} {\n  #rows: R${i}[] = [];\n  add(r: R${i}): this { this.#rows.push(r); return this; }\n  get size(): number { return this.#rows.length; }`,
      ...uses,
      "}\n",
    ];
    writeFileSync(join(directory, `src/m${i}.ts`), text.join("\n"));
  }
  const options = {
    target: "es2022",
    module: "nodenext",
    moduleResolution: "nodenext",
    strict: true,
    declaration: true,
    sourceMap: true,
    rootDir: "src",
    types: ["node"],
    rewriteRelativeImportExtensions: true,
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["src"] }));
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
}

/** Makes the workloads into a directory. */
export function makeWorkloads(directory: string, size = 200): Workload[] {
  const make = (name: string, command: readonly string[], write: (directory: string) => void): Workload => {
    const source = join(directory, name);
    mkdirSync(source, { recursive: true });
    write(source);
    return { name, source, command };
  };
  const node = process.execPath;
  return [
    make("true", ["/usr/bin/true"], () => undefined),
    make("spawn", ["sh", "-c", "i=0; while [ $i -lt 300 ]; do /usr/bin/true; i=$((i+1)); done"], () => undefined),
    make("c", ["make", "-s", "-j2"], (source) => makeC(source, size)),
    make(
      "ts",
      [
        "sh",
        "-euc",
        `cp -r node_modules "$TOUCHMARK_OUTPUT/"; ${node} node_modules/typescript/bin/tsc -p . --outDir "$TOUCHMARK_OUTPUT/dist"`,
      ],
      (source) => makeTypeScript(source, size),
    ),
  ];
}

/** The directory that holds the running Node, which a sandbox must show. */
export const nodeDirectory = dirname(dirname(process.execPath));
