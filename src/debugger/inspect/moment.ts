/** What all views of one moment are made from. */
import type { Machine } from "../../module/machine.ts";
import { describedHpa } from "./describe-hpa.ts";
import { type DomainNames, Domains } from "./domains.ts";

export class Moment {
  readonly machine: Machine;
  private readonly names: DomainNames;
  private known: Domains | undefined;

  constructor(machine: Machine, names: DomainNames) {
    this.machine = machine;
    this.names = names;
  }

  /** The TDs and the PAMT, read when a view first needs them. */
  get domains(): Domains {
    this.known ??= new Domains(this.machine, this.names);
    return this.known;
  }

  hpa(address: number): string {
    return describedHpa(this.domains, address);
  }
}
