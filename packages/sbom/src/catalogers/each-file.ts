import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CollectedFile, Found, FoundComponent } from "../catalogue/cataloger.ts";
import { scanLoss } from "./scan-loss.ts";

/** What is found in each of these files; a file that is refused is a loss, and the next one is read. */
export function foundInEach(files: readonly CollectedFile[], read: (file: CollectedFile) => Found): Found {
  const components: FoundComponent[] = [];
  const edges: Found["edges"][number][] = [];
  const roots: string[] = [];
  const losses: ScanLoss[] = [];
  for (const file of files) {
    try {
      const found = read(file);
      // One by one: a call takes no hundred thousand arguments.
      for (const component of found.components) components.push(component);
      for (const edge of found.edges) edges.push(edge);
      for (const root of found.roots) roots.push(root);
      for (const loss of found.losses) losses.push(loss);
    } catch (error) {
      losses.push(scanLoss(file.path, error));
    }
  }
  return { components, edges, roots, losses };
}
