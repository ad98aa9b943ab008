/** As much of WebAssembly, a global of JavaScript, as modules of Rego take. */
interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => CompiledModule;
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => Memory;
  readonly Instance: new (
    module: CompiledModule,
    imports: { readonly env: { readonly [name: string]: unknown } },
  ) => { readonly exports: Exports };
  readonly Global: new (of: { readonly value: string }, value: unknown) => { readonly value: unknown };
  readonly RuntimeError: new (message: string) => Error;
}

/** A module that was compiled; it can be started any number of times. */
export interface CompiledModule {
  readonly [Symbol.toStringTag]?: string;
}

/** Memory of one instance. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What an instance lets others use. */
export type Exports = { readonly [name: string]: unknown };

export const webAssembly: WebAssemblyGlobal = (globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal })
  .WebAssembly;
