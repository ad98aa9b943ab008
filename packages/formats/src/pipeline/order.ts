import type { InputDefinition, StepDefinition } from "./definition.ts";

type Linked = Pick<StepDefinition, "name"> & { readonly inputs: readonly Pick<InputDefinition, "from">[] };

/**
 * Steps in an order in which each stands after all whose output it reads; among those that are free, the order of
 * the file. Linear in steps and inputs. For valid definitions there is no cycle; see `findCycle`.
 */
export function orderSteps<Step extends Linked>(steps: readonly Step[]): Step[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const done = new Set<string>();
  const ordered: Step[] = [];
  for (const first of steps) {
    const stack: Step[] = [first];
    const open = new Set<string>();
    while (stack.length > 0) {
      const step = stack.at(-1);
      if (step === undefined) break;
      if (done.has(step.name)) {
        stack.pop();
        continue;
      }
      open.add(step.name);
      const next = step.inputs
        .map((input) => byName.get(input.from))
        .find((before) => before !== undefined && !done.has(before.name) && !open.has(before.name));
      if (next !== undefined) stack.push(next);
      else {
        done.add(step.name);
        ordered.push(step);
        stack.pop();
      }
    }
  }
  return ordered;
}

/** Names of steps that depend on each other in a circle, in order, the first repeated at the end; or undefined. */
export function findCycle(steps: readonly Linked[]): string[] | undefined {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const done = new Set<string>();
  for (const first of steps) {
    const trail: { step: Linked; next: number }[] = [{ step: first, next: 0 }];
    const open = new Map<string, number>([[first.name, 0]]);
    while (trail.length > 0) {
      const top = trail.at(-1);
      if (top === undefined) break;
      const input = top.step.inputs[top.next++];
      if (input === undefined) {
        done.add(top.step.name);
        open.delete(top.step.name);
        trail.pop();
        continue;
      }
      const before = byName.get(input.from);
      if (before === undefined || done.has(before.name)) continue;
      const at = open.get(before.name);
      if (at !== undefined) return [...trail.slice(at).map((t) => t.step.name), before.name];
      open.set(before.name, trail.length);
      trail.push({ step: before, next: 0 });
    }
  }
  return undefined;
}

/** Inputs in the order of mounting: an outer place before what is mounted inside it. */
export function mountOrder(inputs: readonly InputDefinition[]): InputDefinition[] {
  return [...inputs].sort(
    (a, b) => a.at.split("/").length - b.at.split("/").length || (a.at < b.at ? -1 : a.at > b.at ? 1 : 0),
  );
}
