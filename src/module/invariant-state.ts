/** What the checks of the invariants (invariants.ts) work on. */
import { pageTypeNames } from "../arch/generated/pamt-types.ts";
import type { Machine } from "./machine.ts";
import type { Page, Survey } from "./survey.ts";

/** A state to check, with lookups. */
export interface State extends Survey {
  readonly machine: Machine;
  /** By HPA. */
  readonly pageAt: ReadonlyMap<number, Page>;
}

/** Takes what is wrong. */
export type Report = (text: string) => void;

export const hex = (value: number): string => `0x${value.toString(16)}`;
export const typeName = (page: Page | undefined): string =>
  page ? (pageTypeNames[page.type] ?? hex(page.type)) : "free";
export const isIn = (set: number, state: number): boolean => state >= 0 && ((set >>> state) & 1) !== 0;
