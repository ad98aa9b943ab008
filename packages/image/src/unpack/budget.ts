import { unpackErrors } from "./errors.ts";
import type { UnpackLimits } from "./limits.ts";

/** Counts what the layers of one image cost, and ends it when it is too much (SPEC X4). */
export class UnpackBudget {
  readonly limits: UnpackLimits;
  #bytes = 0;
  #entries = 0;

  constructor(limits: UnpackLimits) {
    this.limits = limits;
  }

  /**
   * Counts a layer's bytes as they come out of the decompressor, which throws UNPACK_TOO_LARGE | UNPACK_RATIO.
   * @param packedBytes the layer's size as its descriptor says
   */
  layer(packedBytes: number): (count: number) => void {
    const { ratio, ratioFloor } = this.limits;
    const most = Math.max(packedBytes * ratio, ratioFloor);
    let bytes = 0;
    return (count) => {
      bytes += count;
      if (bytes > most) {
        throw unpackErrors.make(
          "UNPACK_RATIO",
          `expected a layer of at most ${ratio} times its packed size, found more`,
        );
      }
      this.apparent(count);
    };
  }

  /** Bytes that are in no archive: holes of sparse files. @throws UNPACK_TOO_LARGE */
  apparent(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.limits.bytes) {
      throw unpackErrors.make("UNPACK_TOO_LARGE", `expected at most ${this.limits.bytes} bytes, found more`);
    }
  }

  /** @throws UNPACK_TOO_MANY_ENTRIES */
  entry(): void {
    if (++this.#entries > this.limits.entries) {
      throw unpackErrors.make("UNPACK_TOO_MANY_ENTRIES", `expected at most ${this.limits.entries} entries, found more`);
    }
  }

  /** @throws UNPACK_FILE_TOO_LARGE */
  file(size: number): void {
    if (size > this.limits.fileBytes) {
      throw unpackErrors.make(
        "UNPACK_FILE_TOO_LARGE",
        `expected files of at most ${this.limits.fileBytes} bytes, found one of ${size}`,
      );
    }
  }
}
