// Writes docs/conformance/cel.md.

import { writeFileSync } from "node:fs";
import { pageText } from "./page-text.ts";
import { tallies } from "./tally.ts";
import { specificationVectors } from "./vector.ts";

writeFileSync(new URL("../../docs/conformance/cel.md", import.meta.url), pageText(tallies(specificationVectors())));
