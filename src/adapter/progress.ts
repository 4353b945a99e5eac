/** Tells a client that can show it of what takes long, so that a person can cancel it. */
import type { Send } from "./client-view.ts";

/** What is over sooner needs no word. */
const DELAY_MS = 1000;

export class Progress {
  /** Whether the client shows any. */
  isWanted = false;
  private readonly send: Send;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private count = 0;
  private shown = "";

  constructor(send: Send) {
    this.send = send;
  }

  begin(title: string): void {
    this.end();
    if (!this.isWanted) return;
    this.timer = setTimeout(() => {
      this.shown = `move${++this.count}`;
      this.send("progressStart", { progressId: this.shown, title, cancellable: true });
    }, DELAY_MS);
  }

  end(): void {
    clearTimeout(this.timer);
    if (this.shown !== "") this.send("progressEnd", { progressId: this.shown });
    this.shown = "";
  }

  /** Whether this is what a client was told of, and not over. */
  isOpen(progressId: string): boolean {
    return progressId !== "" && progressId === this.shown;
  }
}
