import { regoErrors } from "./errors.ts";
import { wantedMemory } from "./sections.ts";
import { type CompiledModule, type Exports, type Memory, webAssembly } from "./web-assembly.ts";

/** Largest module. */
const MAX_MODULE = 4 * 1024 * 1024;
/** Pages of 64 KiB that one evaluation may hold: 64 MiB. */
const MAX_PAGES = 1024;
/** Longest text that is read out of a module. */
const MAX_TEXT = 64 * 1024;

/** A compiled module. It holds nothing of any evaluation. */
export interface RegoModule {
  /**
   * Asks an entrypoint about an input in JSON, in an instance of its own. Undefined: the rule has no value. It takes as
   * long as it takes: nothing stops it from inside. @throws REGO_…
   */
  ask(entrypoint: string, input: string): boolean | undefined;
}

/** Compiles a module with the interface 1 of OPA. @throws REGO_MODULE */
export function regoModule(bytes: Uint8Array): RegoModule {
  if (bytes.length > MAX_MODULE) {
    throw regoErrors.make("REGO_MODULE", `expected at most ${MAX_MODULE} bytes, found ${bytes.length}`);
  }
  const module = compiled(bytes);
  const wanted = wantedMemory(bytes);
  if (wanted.minimum > MAX_PAGES) {
    throw regoErrors.make("REGO_MODULE", `expected at most ${MAX_PAGES} pages of memory, found ${wanted.minimum}`);
  }
  const maximum = Math.min(MAX_PAGES, wanted.maximum ?? MAX_PAGES);
  return {
    ask(entrypoint, input) {
      const instance = start(module, new webAssembly.Memory({ initial: wanted.minimum, maximum }));
      return instance.ask(entrypoint, input);
    },
  };
}

function compiled(bytes: Uint8Array): CompiledModule {
  try {
    return new webAssembly.Module(new Uint8Array(bytes));
  } catch (error) {
    throw regoErrors.make("REGO_MODULE", `expected WebAssembly: ${reasonOf(error)}`);
  }
}

/** Functions of the interface that are called. */
const functions = [
  "builtins",
  "entrypoints",
  "eval",
  "opa_eval_ctx_get_result",
  "opa_eval_ctx_new",
  "opa_eval_ctx_set_data",
  "opa_eval_ctx_set_entrypoint",
  "opa_eval_ctx_set_input",
  "opa_json_dump",
  "opa_json_parse",
  "opa_malloc",
] as const;
type Calls = Readonly<Record<(typeof functions)[number], (...numbers: number[]) => number>>;

function start(module: CompiledModule, memory: Memory): RegoModule {
  const host = (name: string) => (): never => {
    throw regoErrors.make("REGO_FUNCTION", `the module called ${name}`);
  };
  const env = {
    memory,
    opa_abort: (address: number): never => {
      throw regoErrors.make("REGO_ABORTED", `the module stopped: ${printable(textAt(memory, address))}`);
    },
    opa_println: () => {},
    ...Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`opa_builtin${n}`, host(`opa_builtin${n}`)])),
  };
  let exported: Exports;
  try {
    exported = new webAssembly.Instance(module, { env }).exports;
  } catch (error) {
    throw regoErrors.make("REGO_MODULE", `expected a module of OPA: ${reasonOf(error)}`);
  }
  const calls = callsOf(exported);
  return {
    ask: (entrypoint, input) =>
      withoutTraps(() => {
        const read = (address: number): string => textAt(memory, calls.opa_json_dump(address));
        const wanted = Object.keys(record(read(calls.builtins())));
        if (wanted.length > 0) {
          const names = printable(wanted.sort().slice(0, 20).join(", "));
          throw regoErrors.make(
            "REGO_FUNCTION",
            `expected a module that needs no function of its host, found ${names}`,
          );
        }
        const id = entrypointOf(record(read(calls.entrypoints())), entrypoint);
        const context = calls.opa_eval_ctx_new();
        calls.opa_eval_ctx_set_data(context, valueOf("{}", memory, calls));
        calls.opa_eval_ctx_set_input(context, valueOf(input, memory, calls));
        calls.opa_eval_ctx_set_entrypoint(context, id);
        const status = calls.eval(context);
        if (status !== 0) throw regoErrors.make("REGO_ABORTED", `the module ended with ${status}`);
        return answerOf(read(calls.opa_eval_ctx_get_result(context)));
      }),
  };
}

function callsOf(exported: Exports): Calls {
  const version = exported["opa_wasm_abi_version"];
  if (!(version instanceof webAssembly.Global) || version.value !== 1) {
    throw regoErrors.make("REGO_MODULE", "expected a module with the interface 1 of OPA");
  }
  for (const name of functions) {
    if (typeof exported[name] !== "function") {
      throw regoErrors.make("REGO_MODULE", `expected the function ${name}, which every module of OPA has`);
    }
  }
  return exported as unknown as Calls;
}

/** What a module does to itself is said by a code, whatever it was. */
function withoutTraps<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof webAssembly.RuntimeError || error instanceof RangeError || error instanceof TypeError) {
      throw regoErrors.make("REGO_ABORTED", `the module broke its bounds: ${reasonOf(error)}`);
    }
    throw error;
  }
}

function entrypointOf(known: Readonly<Record<string, unknown>>, name: string): number {
  const id = Object.hasOwn(known, name) ? known[name] : undefined;
  if (typeof id === "number") return id;
  const names = printable(Object.keys(known).sort().slice(0, 20).join(", "));
  throw regoErrors.make("REGO_ENTRYPOINT", `expected one of the entrypoints ${names}, found ${printable(name)}`);
}

/** `[{"result":true}]` is true, `[]` undefined. */
function answerOf(text: string): boolean | undefined {
  const results = parsed(text);
  if (Array.isArray(results) && results.length === 0) return undefined;
  const [only] = Array.isArray(results) && results.length === 1 ? (results as readonly unknown[]) : [];
  const value = typeof only === "object" && only !== null && Object.hasOwn(only, "result") ? only : undefined;
  const result = (value as { readonly result: unknown } | undefined)?.result;
  if (typeof result === "boolean") return result;
  throw regoErrors.make("REGO_ANSWER", `expected true or false, found ${printable(text)}`);
}

function record(text: string): Readonly<Record<string, unknown>> {
  const value = parsed(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw regoErrors.make("REGO_ANSWER", `expected an object, found ${printable(text)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw regoErrors.make("REGO_ANSWER", `expected JSON, found ${printable(text)}`);
  }
}

/** A value of the module by its JSON; one that it cannot read is not left out, but refused. */
function valueOf(json: string, memory: Memory, calls: Calls): number {
  const bytes = Buffer.from(json, "utf8");
  const address = calls.opa_malloc(bytes.length) >>> 0;
  new Uint8Array(memory.buffer).set(bytes, address);
  const value = calls.opa_json_parse(address, bytes.length);
  if (value === 0) throw regoErrors.make("REGO_INPUT", "the module cannot read its input");
  return value;
}

/** Text up to its zero byte. */
function textAt(memory: Memory, address: number): string {
  const from = address >>> 0;
  const bytes = Buffer.from(memory.buffer).subarray(from, from + MAX_TEXT);
  const end = bytes.indexOf(0);
  if (end === -1) throw regoErrors.make("REGO_ANSWER", `expected an answer of at most ${MAX_TEXT} bytes`);
  return bytes.toString("utf8", 0, end);
}

/** Short, and without what could draw on a terminal. */
const printable = (text: string): string => JSON.stringify(text.slice(0, 200)).slice(1, -1);

const reasonOf = (error: unknown): string => (error instanceof Error ? printable(error.message) : "unknown");
