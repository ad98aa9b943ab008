/** Upper bounds of the histogram, in seconds: the API server waits for 10 s unless it is told otherwise. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Most codes that are counted apart, so that no caller can make the list grow. */
const mostCodes = 200;

class Histogram {
  readonly #counts = bounds.map(() => 0);
  #sum = 0;
  #count = 0;

  add(seconds: number): void {
    const at = bounds.findIndex((bound) => seconds <= bound);
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += seconds;
    this.#count++;
  }

  lines(name: string, labels: string): readonly string[] {
    let below = 0;
    const buckets = bounds.map((bound, i) => {
      below += this.#counts[i] ?? 0;
      return `${name}_bucket{${labels},le="${bound}"} ${below}`;
    });
    const ends = [`${name}_bucket{${labels},le="+Inf"} ${this.#count}`, `${name}_sum{${labels}} ${this.#sum}`];
    return [...buckets, ...ends, `${name}_count{${labels}} ${this.#count}`];
  }
}

/** What became of a request: `refused` was no question, `cancelled` has nobody who waits. */
export type RequestOutcome = "allow" | "deny" | "refused" | "cancelled";

/** Figures of a server that runs, as Prometheus reads them (text format 0.0.4). */
export class AdmissionMetrics {
  readonly #requests = new Map<string, number>();
  readonly #codes = new Map<string, number>();
  readonly #durations = new Map<string, Histogram>();
  underWay = 0;

  /** Counts one request that was answered. */
  count(endpoint: string, outcome: RequestOutcome, codes: readonly string[], seconds: number): void {
    increment(this.#requests, `endpoint="${endpoint}",outcome="${outcome}"`);
    const labels = `endpoint="${endpoint}"`;
    const histogram = this.#durations.get(labels) ?? new Histogram();
    this.#durations.set(labels, histogram);
    histogram.add(seconds);
    for (const code of codes) {
      const isCounted = /^[A-Za-z0-9_]{1,64}$/.test(code) && (this.#codes.has(code) || this.#codes.size < mostCodes);
      increment(this.#codes, isCounted ? code : "other");
    }
  }

  /** The page, with gauges that the caller adds. */
  text(gauges: Readonly<Record<string, number>>): string {
    return [
      "# TYPE touchmark_admission_requests_total counter",
      ...[...this.#requests].map(([labels, count]) => `touchmark_admission_requests_total{${labels}} ${count}`),
      "# TYPE touchmark_admission_denials_total counter",
      ...[...this.#codes].map(([code, count]) => `touchmark_admission_denials_total{code="${code}"} ${count}`),
      "# TYPE touchmark_admission_duration_seconds histogram",
      ...[...this.#durations].flatMap(([labels, one]) => one.lines("touchmark_admission_duration_seconds", labels)),
      ...Object.entries({ touchmark_admission_requests_under_way: this.underWay, ...gauges }).flatMap(
        ([name, value]) => [`# TYPE ${name} gauge`, `${name} ${value}`],
      ),
      "",
    ].join("\n");
  }
}

function increment(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
