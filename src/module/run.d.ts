/** The run variant is the same source without its steps (step.ts), so what it exports has the types without them. */
declare module "*/dispatch.ts?run" {
  export const dispatch: import("./step.ts").Run<typeof import("./dispatch.ts").dispatch>;
}

declare module "*/vm-exit.ts?run" {
  export const vmExit: import("./step.ts").Run<typeof import("./guest/vm-exit.ts").vmExit>;
}
