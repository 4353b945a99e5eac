/** Answers what a view or a variable asks about the moment at which the session stands. */
import type { Machine } from "../../module/machine.ts";
import { Undone } from "../undone.ts";
import { Changes } from "./changes.ts";
import { domainItems } from "./domain-items.ts";
import { DomainNames } from "./domains.ts";
import { findItem, type Item, itemChanged } from "./item.ts";
import { Moment } from "./moment.ts";
import { pamtItems } from "./pamt-items.ts";
import { platformItems } from "./platform-items.ts";
import { septItems } from "./sept-items.ts";

const VIEWS = { platform: platformItems, domains: domainItems, sept: septItems, pamt: pamtItems } as const;
export type ViewName = keyof typeof VIEWS;

export class Inspector {
  private readonly names = new DomainNames();
  private known: Moment;
  private compared: Changes;
  private readonly roots = new Map<ViewName, readonly Item[]>();

  constructor(machine: Machine) {
    this.known = new Moment(machine, this.names);
    this.compared = new Changes(machine.store, machine.store.now, new Undone());
  }

  /**
   * The session has moved: everything is read anew.
   *
   * @param since mark of the stop before this one, or of the nearest that there is to it
   * @param undone what was taken back since then
   */
  moved(machine: Machine, since: number, undone: Undone): void {
    this.known = new Moment(machine, this.names);
    this.compared = new Changes(machine.store, since, undone);
    this.roots.clear();
  }

  get moment(): Moment {
    return this.known;
  }

  /** What views would be made from where the machine stands now, in the middle of a move. */
  look(machine: Machine): Moment {
    return new Moment(machine, this.names);
  }

  get changes(): Changes {
    return this.compared;
  }

  isChanged(item: Item): boolean {
    return itemChanged(item, this.changes);
  }

  /** The roots of a view, or the children of one of its items; undefined if there is no such item now. */
  children(view: ViewName, id?: string): readonly Item[] | undefined {
    let roots = this.roots.get(view);
    if (roots === undefined) {
      roots = VIEWS[view](this.known);
      this.roots.set(view, roots);
    }
    return id === undefined ? roots : findItem(roots, id)?.children?.();
  }
}
