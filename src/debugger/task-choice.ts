/** Which task moves next, as a person says it: an input of the run, like an edited value. */
import type { Input } from "./branches.ts";
import type { Debuggee } from "./debuggee.ts";

export class TaskChoice implements Input {
  readonly task: number;
  readonly text: string;
  /** The task that was under way is left where it stands, inside the module too. */
  readonly endsUnit = true;

  /** @param name of the task */
  constructor(task: number, name: string) {
    this.task = task;
    this.text = `${name} goes on`;
  }

  apply(debuggee: Debuggee): void {
    debuggee.choose(this.task);
  }
}
