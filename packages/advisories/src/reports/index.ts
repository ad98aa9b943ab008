export { scanHtml } from "./html.ts";
export { scanJson } from "./json.ts";
export { scanJunit } from "./junit.ts";
export { scanMarkdown } from "./markdown.ts";
export { scanSarif } from "./sarif.ts";
export { scanTable, type TableMark, type TableOptions } from "./table.ts";
