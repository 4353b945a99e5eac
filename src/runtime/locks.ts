/** Locks of the host model: who holds one is in a record in the heap, so that it is state like any other. */
import type { Heap, ListValue } from "./heap.ts";
import { LockValue } from "./values.ts";

const FIELDS = ["name", "writer", "readers"] as const;

/** A free lock. `writer`: the task that holds it alone, plus 1; `readers`: the tasks that hold it together. */
export function newLock(heap: Heap, kind: "mutex" | "rwlock", name: string): LockValue {
  const readers = heap.list([], 0, 0);
  return new LockValue(heap.record(FIELDS, [name, 0, readers], 0), kind);
}

function readersOf(heap: Heap, lock: LockValue): ListValue {
  return heap.fields(lock.state).get("readers") as ListValue;
}

function writerOf(heap: Heap, lock: LockValue): number {
  return heap.fields(lock.state).get("writer") as number;
}

/** Takes the lock for a task, if it is free for it. */
export function acquire(heap: Heap, lock: LockValue, task: number): boolean {
  if (writerOf(heap, lock) !== 0) return false;
  if (lock.kind === "read") {
    heap.push(readersOf(heap, lock), task);
    return true;
  }
  if (heap.length(readersOf(heap, lock)) > 0) return false;
  heap.setField(lock.state, "writer", task + 1);
  return true;
}

export function isHeldBy(heap: Heap, lock: LockValue, task: number): boolean {
  return (
    writerOf(heap, lock) === task + 1 || (lock.kind !== "read" && heap.elements(readersOf(heap, lock)).includes(task))
  );
}

export function release(heap: Heap, lock: LockValue, task: number): void {
  if (lock.kind !== "read") {
    heap.setField(lock.state, "writer", 0);
    return;
  }
  const readers = readersOf(heap, lock);
  const at = heap.elements(readers).indexOf(task);
  const last = heap.pop(readers);
  if (at < heap.length(readers)) heap.setElement(readers, at, last);
}

/** `lock "name", held by a and b`. */
export function describeHolders(heap: Heap, lock: LockValue, nameOf: (task: number) => string): string {
  const writer = writerOf(heap, lock);
  const holders = writer !== 0 ? [writer - 1] : (heap.elements(readersOf(heap, lock)) as number[]);
  const name = String(heap.fields(lock.state).get("name"));
  return `${lock.kind} lock ${name === "" ? "" : `"${name}" `}held by ${holders.map(nameOf).join(" and ") || "nobody"}`;
}
