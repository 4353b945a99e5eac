/** Lets a host breathe while a run is under way, and hears whether it is to stop. */

export interface BreathHost {
  /** Lets what waits run; resolves soon. */
  breathe(): Promise<void>;
  /** A clock in milliseconds. */
  now(): number;
}

/** The time between breaths, in milliseconds: an extension host must not be kept for longer than 50. */
const SLICE = 20;

/** Units between looks at the clock: even slow ones take no longer than a breath is apart. */
export const UNITS_PER_LOOK = 256;

export class Breath {
  private readonly host: BreathHost;
  private end = 0;
  private isStopped = false;

  constructor(host: BreathHost) {
    this.host = host;
  }

  /** A command begins. */
  begin(): void {
    this.isStopped = false;
    this.end = this.host.now() + SLICE;
  }

  /** The command under way is to end. */
  stop(): void {
    this.isStopped = true;
  }

  isDue(): boolean {
    return this.host.now() >= this.end;
  }

  /** Resolves to whether the command is to end. */
  async take(): Promise<boolean> {
    await this.host.breathe();
    this.end = this.host.now() + SLICE;
    return this.isStopped;
  }
}
