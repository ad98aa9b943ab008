import { regoErrors } from "./errors.ts";

/** Pages of memory that a module asks its host for. */
export interface WantedMemory {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

/** All but memories of its own (5) and tags of exceptions (13), as the standard numbers them. */
const usual = new Set([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]);
const NUMBERS = new Set([0x7f, 0x7e, 0x7d, 0x7c]);

/**
 * Looks through the sections of a module for ways to memory that the host does not bound: memories of its own, values
 * on the heap of the host. Whether the module is valid is for the compiler to say. @throws REGO_MODULE
 */
export function wantedMemory(bytes: Uint8Array): WantedMemory {
  const reader = new SectionReader(bytes, 8);
  let memory: WantedMemory | undefined;
  while (!reader.isAtEnd) {
    const id = reader.byte();
    if (!usual.has(id)) {
      throw regoErrors.make("REGO_MODULE", `expected no section ${id}: a module has no memory and no tags of its own`);
    }
    const section = reader.part(reader.number());
    if (id === 1) checkTypes(section);
    if (id === 2) memory = importedMemory(section);
  }
  if (memory === undefined) throw regoErrors.make("REGO_MODULE", "expected a module that imports its memory");
  return memory;
}

/** Functions of numbers alone. */
function checkTypes(section: SectionReader): void {
  for (let left = section.number(); left > 0; left--) {
    const form = section.byte();
    if (form !== 0x60) throw regoErrors.make("REGO_MODULE", `expected types of functions alone, found form ${form}`);
    for (const _side of ["parameters", "results"]) {
      for (let values = section.number(); values > 0; values--) {
        if (!NUMBERS.has(section.byte())) throw regoErrors.make("REGO_MODULE", "expected functions of numbers alone");
      }
    }
  }
}

function importedMemory(section: SectionReader): WantedMemory | undefined {
  let memory: WantedMemory | undefined;
  for (let left = section.number(); left > 0; left--) {
    section.part(section.number());
    section.part(section.number());
    const kind = section.byte();
    if (kind === 0) section.number();
    else if (kind === 2 && memory === undefined) {
      const flags = section.byte();
      if (flags > 1) throw regoErrors.make("REGO_MODULE", "expected a memory of 32 bits that is not shared");
      const minimum = section.number();
      memory = { minimum, maximum: flags === 1 ? section.number() : undefined };
    } else throw regoErrors.make("REGO_MODULE", "expected imports of functions and of one memory alone");
  }
  return memory;
}

/** Reads the binary format of WebAssembly, as far as sections go. */
class SectionReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw regoErrors.make("REGO_MODULE", "expected a whole module, found an end");
    return byte;
  }

  /** An unsigned number of 32 bits in LEB128. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw regoErrors.make("REGO_MODULE", "expected a number of 32 bits");
  }

  part(length: number): SectionReader {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw regoErrors.make("REGO_MODULE", "expected a whole module, found an end");
    const part = new SectionReader(this.#bytes.subarray(0, end), this.#at);
    this.#at = end;
    return part;
  }
}
