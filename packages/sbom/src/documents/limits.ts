/** What a document may have at most. A document of 100,000 components with all their edges stays far below. */
export const documentLimits = {
  /** Bytes of a document. */
  bytes: 512 * 1024 * 1024,
  /** Nesting of objects and lists, or of XML elements. */
  depth: 96,
  /** Components, nested ones and files included. */
  components: 1_000_000,
  /** Edges, or relationships of any kind. */
  relations: 8_000_000,
  /** Problems that are listed one by one; further ones are counted. */
  problems: 200,
} as const;
