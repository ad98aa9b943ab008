import { inventoryErrors } from "./errors.ts";

/** Something that runs, or shall run. */
export interface InventoryItem {
  /** `HOST/NAME:TAG`, by digest where that is known. */
  readonly reference: string;
  readonly namespace?: string;
  /** What uses it; for people. */
  readonly where: string;
}

/** A listing that was read. */
export interface Inventory {
  readonly items: readonly InventoryItem[];
  /** What was listed and not looked into, and why. */
  readonly passedOver: readonly string[];
}

/** Most bytes and entries of one listing. */
export const inventoryLimits = { bytes: 256 * 1024 * 1024, items: 200_000 } as const;

/** @throws INVENTORY_TOO_LARGE | INVENTORY_EMPTY */
export function checkedInventory(inventory: Inventory, name: string): Inventory {
  const { items } = inventory;
  if (items.length > inventoryLimits.items) {
    throw inventoryErrors.make(
      "INVENTORY_TOO_LARGE",
      `expected at most ${inventoryLimits.items} entries in ${name}, found ${items.length}`,
    );
  }
  if (items.length === 0) {
    throw inventoryErrors.make("INVENTORY_EMPTY", `expected images in ${name}, found none`);
  }
  return inventory;
}

/** Text of a listing. @throws INVENTORY_TOO_LARGE | INVENTORY_MALFORMED */
export function listingText(bytes: Uint8Array, name: string): string {
  if (bytes.length > inventoryLimits.bytes) {
    throw inventoryErrors.make(
      "INVENTORY_TOO_LARGE",
      `expected at most ${inventoryLimits.bytes} bytes in ${name}, found ${bytes.length}`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw inventoryErrors.make("INVENTORY_MALFORMED", `expected UTF-8 text in ${name}`, { cause });
  }
}
