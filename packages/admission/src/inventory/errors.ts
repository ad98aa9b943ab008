import { defineErrors } from "@touchmark/core";

/** Error codes of lists of what runs, or shall run. */
export const inventoryErrors = defineErrors({
  INVENTORY_MALFORMED: {
    nature: "invalid",
    meaning: "A listing is neither lines of references, nor a JSON list of them, nor a listing of a cluster.",
    hint: "lines of REFERENCE [NAMESPACE]; `kubectl get pods -A -o json` for --cluster",
  },
  INVENTORY_TOO_LARGE: { nature: "invalid", meaning: "A listing has more bytes or entries than is looked at." },
  INVENTORY_EMPTY: {
    nature: "invalid",
    meaning: "A listing or manifest names nothing that could be admitted.",
    hint: "nothing to decide about is not the same as admitted",
  },
});
