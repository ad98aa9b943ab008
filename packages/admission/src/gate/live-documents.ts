import { isFactoryError } from "@touchmark/core";

/** Documents that follow their files. */
export interface LiveDocuments<Documents> {
  /** As they stand now. What changed is read whole and takes effect at once, or not at all. */
  current(): Promise<Documents>;
  /** Why what stands in the files now is not in force; undefined when it is. */
  problem(): string | undefined;
}

/** How to follow documents. */
export interface LiveDocumentsOptions<Documents> {
  /** Changes whenever a file is written, replaced or removed. Cheap: asked at every question. */
  readonly stamp: () => string;
  /** Reads all of them. What it throws keeps the former in force. Documents that say nothing are in force, and deny. */
  readonly load: () => Documents | Promise<Documents>;
  /** Told once of each state that cannot be used. */
  readonly onProblem?: (message: string) => void;
}

/** Reads documents, and again when their files change. @throws what the first reading throws: nothing stands before it */
export async function liveDocuments<Documents>(
  options: LiveDocumentsOptions<Documents>,
): Promise<LiveDocuments<Documents>> {
  const { stamp, load, onProblem = () => {} } = options;
  let seen = stamp();
  let documents = await load();
  let problem: string | undefined;
  let reading: Promise<void> | undefined;
  const read = async (): Promise<void> => {
    // Before reading: a file that changes meanwhile is read once more at the next question.
    const state = stamp();
    try {
      documents = await load();
      problem = undefined;
    } catch (error) {
      const why = isFactoryError(error) ? `${error.code}: ${error.message}` : String(error);
      problem = `new policies cannot be used, the former stay in force: ${why}`;
      onProblem(problem);
    }
    seen = state;
  };
  return {
    async current() {
      if (stamp() !== seen) {
        reading ??= read().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      return documents;
    },
    problem: () => problem,
  };
}
